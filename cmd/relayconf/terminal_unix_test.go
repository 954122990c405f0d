//go:build !windows

package main

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	prettytext "github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startOnTerminal starts the command on a terminal of this width. All that the terminal gets is in stdout.
func startOnTerminal(t *testing.T, columns uint16, args ...string) *process {
	t.Helper()
	near, far, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(far, &pty.Winsize{Rows: 24, Cols: columns}))
	p := prepare(t, []string{"TERM=xterm-256color"}, args...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = far, far, far
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	read := make(chan struct{})
	p.terminalRead = read
	go func() {
		defer close(read)
		_, _ = io.Copy(&p.stdout, near) // Linux ends it with EIO, when the last process has closed the other end
	}()
	t.Cleanup(func() { _ = near.Close() })
	p.run()
	require.NoError(t, far.Close())
	return p
}

func TestServeDemoGoesOnForAPersonUntilCtrlC(t *testing.T) {
	t.Parallel()
	p := startOnTerminal(t, 100, "serve", "--demo")
	p.says(&p.stdout, "It goes on like this until Ctrl-C")
	p.says(&p.stdout, "the relay of the shop has its key again")
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
	assert.NotContains(t, p.stdout.String(), "That was the demo")
	assert.Contains(t, p.stdout.String(), "\x1b[1m# The relays connect", "remarks are bold")
}

func TestFleetListFitsTheTerminal(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile))
	h.serves()
	startLinked(t, h, "a-relay-with-a-name-as-long-as-names-get")
	admin := strings.TrimPrefix(h.url("admin"), "http://")
	for _, columns := range []uint16{40, 60, 80} {
		p := startOnTerminal(t, columns, "fleet", "list", "--admin-addr", admin)
		p.exit(exitOK)
		lines := strings.Split(strings.TrimSpace(p.stdout.String()), "\r\n")
		assert.Len(t, lines, 2, "no line is broken")
		for _, line := range lines {
			assert.LessOrEqual(t, prettytext.StringWidth(line), int(columns), line)
		}
		assert.Regexp(t, `^NAME +SYNC`, lines[0])
	}
	p := start(t, nil, "fleet", "list", "--admin-addr", admin)
	p.exit(exitOK)
	assert.Contains(t, p.stdout.String(), "VERSION", "nothing is left out for a pipe")
	assert.NotContains(t, p.stdout.String(), "\x1b", "no colour for a pipe")
}

func TestFleetWaitShowsABarOnATerminalOnly(t *testing.T) {
	t.Parallel()
	path := inFile(t, "environments.yaml", hubFile)
	h := startHub(t, hubKey, "--environments", path)
	h.serves()
	startLinked(t, h, "relay-1-with-a-name-as-long-as-names-of-machines-get")
	startLinked(t, h, "relay-2")
	version := time.Now().Add(time.Hour).Unix()
	args := []string{"fleet", "wait", "--admin-addr", h.url("admin"), "--min", "2", "--environment", "env1", "--version", fmt.Sprint(version)}
	piped := start(t, nil, args...)
	terminals := map[uint16]*process{}
	for _, columns := range []uint16{40, 80} {
		terminals[columns] = startOnTerminal(t, columns, args...)
		terminals[columns].shows(&terminals[columns].stdout, "waiting for relay")
		terminals[columns].shows(&terminals[columns].stdout, "0/2")
	}
	replaceFile(t, path, strings.Replace(hubFile, "{id: env1,", fmt.Sprintf("{id: env1, version: %d,", version), 1))
	for columns, p := range terminals {
		p.exit(exitOK)
		for _, drawn := range strings.FieldsFunc(p.stdout.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			assert.LessOrEqual(t, prettytext.StringWidthWithoutEscSequences(drawn), int(columns), "%q", drawn)
		}
		assert.Regexp(t, `\r +\rAll 2 relays have applied it\.\r\n$`, p.stdout.String(), "the bar is gone")
	}
	piped.exit(exitOK)
	assert.Equal(t, "All 2 relays have applied it.\n", piped.stdout.String())
	assert.Empty(t, piped.stderr.String(), "no bar")
}
