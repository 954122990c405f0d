//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// process is a contender that runs in a process of its own.
type process struct {
	command *exec.Cmd
	asking  io.WriteCloser
	answers *bufio.Reader
	address string
}

// start starts a contender, and waits until it has its configuration.
func start(contender string, up *upstream, arguments ...string) *process {
	self, err := os.Executable()
	check(err)
	p := &process{command: exec.Command(self, append([]string{"-serve", contender, "-upstream", up.address}, arguments...)...)}
	p.command.Stderr = os.Stderr
	p.asking, err = p.command.StdinPipe()
	check(err)
	answers, err := p.command.StdoutPipe()
	check(err)
	check(p.command.Start())
	p.answers = bufio.NewReader(answers)
	address, err := p.answers.ReadString('\n')
	check(err)
	p.address = strings.TrimSpace(address)
	return p
}

func (p *process) usage() usage { return p.ask("usage") }

// settled is the usage after unused memory was given back.
func (p *process) settled() usage { return p.ask("settle") }

func (p *process) ask(question string) (u usage) {
	_, err := fmt.Fprintln(p.asking, question)
	check(err)
	answer, err := p.answers.ReadBytes('\n')
	check(err)
	check(json.Unmarshal(answer, &u))
	return u
}

func (p *process) stop() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// kibibytes returns a figure of /proc/self/status in bytes.
func kibibytes(status []byte, name string) (n int) {
	_, after, _ := bytes.Cut(status, []byte(name))
	_, err := fmt.Sscan(string(after), &n)
	check(err)
	return n << 10
}
