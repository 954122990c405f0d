//go:build !windows

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/envfactory"
)

// pipe is standard output, or more, that the test reads when it wants to.
func (p *process) pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = read.Close() })
	p.cmd.Stdout = write
	return read, write
}

func manyEnvironments(n int) []envfactory.EnvironmentRep {
	environments := make([]envfactory.EnvironmentRep, 0, n)
	for number := 1; number <= n; number++ {
		environments = append(environments, autoconfigtest.MakeEnvironment(number, 1))
	}
	return environments
}

func TestAStalledReaderHoldsNothingUp(t *testing.T) {
	t.Parallel()
	const n = 400
	environments := manyEnvironments(n)
	for i := range environments {
		environments[i].EnvName = strings.Repeat("x", stdoutLimit/n) // so that their lines are more than may wait
	}
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(environments...))
	path, cache := inFolder(t, "envs.json"), inFolder(t, "cache")
	p := prepare(t, service(server.URL), "watch", "--format", "json", "--output-file", path, "--cache-file", cache,
		"--exec", "echo hook was here")
	read, write := p.pipe(t)
	p.run()
	require.NoError(t, write.Close())
	requireOutput(t, path, n)
	p.says(&p.stderr, "hook was here")
	server.Delete(autoconfigtest.MakeEnvironment(7, 1).EnvID, 2)
	requireOutput(t, path, n-1)
	requireCached(t, cache, testKey, n-1)

	lines := bufio.NewReader(read)
	seen := 0
	for leftOut := 0; seen+leftOut < n+2; {
		line, err := lines.ReadBytes('\n')
		require.NoError(t, err)
		var c struct {
			Change string
			Lines  int
		}
		require.NoError(t, json.Unmarshal(line, &c))
		if c.Change == "left-out" {
			assert.Zero(t, leftOut, "it is said once")
			leftOut = c.Lines
			continue
		}
		seen++
		if seen+leftOut == n+2 {
			assert.Equal(t, "removed", c.Change, "the newest is kept")
			assert.Positive(t, leftOut)
		}
	}
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
}

// Ctrl-S stalls both.
func TestAStalledTerminalHoldsNothingUp(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	path := inFolder(t, "envs.json")
	p := prepare(t, append(service(server.URL), "LOG_LEVEL=debug"), "watch", "--output-file", path)
	_, write := p.pipe(t)
	p.cmd.Stderr = write
	p.run()
	require.NoError(t, write.Close())
	const n = 1000 // their lines are more than a pipe holds
	server.WaitForConnections(1, soon)
	for number := 1; number <= n; number++ {
		server.Patch(autoconfigtest.MakeEnvironment(number, 1))
	}
	requireOutput(t, path, n)
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
}

func TestOnceWaitsForASlowReader(t *testing.T) {
	t.Parallel()
	const n = 3000
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(n)...))
	p := prepare(t, service(server.URL), "watch", "--once", "--format", "json")
	read, write := p.pipe(t)
	p.run()
	require.NoError(t, write.Close())
	server.WaitForConnections(1, soon)
	server.WaitForOpenConnections(0, soon) // it is at its end
	out, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Equal(t, n+1, strings.Count(string(out), "\n"))
	p.exit(exitOK)
}

func TestCtrlCWhileOnceWaitsForTheReader(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(3000)...))
	p := prepare(t, service(server.URL), "watch", "--once", "--format", "json")
	_, write := p.pipe(t)
	p.run()
	require.NoError(t, write.Close())
	server.WaitForConnections(1, soon)
	server.WaitForOpenConnections(0, soon)
	p.signal(syscall.SIGINT)
	p.exit(exitInterrupted)
	assert.Regexp(t, `interrupted before \d+ lines were printed`, p.stderr.String())
}

func TestAClosedPipeEndsWatchCleanly(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	path, cache := inFolder(t, "envs.json"), inFolder(t, "cache")
	p := prepare(t, service(server.URL), "watch", "--output-file", path, "--cache-file", cache)
	read, write := p.pipe(t)
	p.run()
	require.NoError(t, write.Close())
	lines := bufio.NewReader(read)
	readLines := func(n int) {
		for range n {
			_, err := lines.ReadString('\n')
			require.NoError(t, err)
		}
	}
	readLines(2)
	server.Patch(autoconfigtest.MakeEnvironment(2, 1))
	readLines(1)
	require.NoError(t, read.Close()) // as head -n 3, and no line comes after it
	p.exit(exitClosed)
	assert.Len(t, readOutput(t, path).Environments, 2, "the output file is up to date")
	requireCached(t, cache, testKey, 2)
	assert.NotContains(t, p.stderr.String(), "pipe")
}

func TestNothingThatIsShownSteersATerminal(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b[2J\u009b2J\x7f\u202e\u2066\u200fz"
	env := autoconfigtest.MakeEnvironment(1, 1)
	env.EnvName, env.ProjKey, env.ProjName, env.EnvKey = evil, evil, evil, evil
	env.SDKKey.Value, env.MobKey = "sdk-0000\u009b2J", "mob-0000\u202e2J"
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(env))
	cache := inFolder(t, "cache")
	variables := append(service(server.URL), "LOG_LEVEL=debug")
	for _, format := range []string{"text", "json"} {
		watching := start(t, variables, "watch", "--format", format, "--cache-file", cache, "--verbose")
		watching.says(&watching.stderr, `Received event "put"`) // the stream is up: a comment sent before reaches nobody
		server.Comment(evil)
		watching.says(&watching.stdout, "keepalive")
		requireCached(t, cache, testKey, 1)
		watching.signal(syscall.SIGTERM)
		watching.exit(exitOK)
		showing := start(t, variables, "cache", "show", "--format", format, "--cache-file", cache)
		showing.exit(exitOK)
		for _, p := range []*process{watching, showing} {
			for _, r := range p.stdout.String() + p.stderr.String() {
				require.NotContains(t, "\x1b\u009b\x7f\u202e\u2066\u200f", string(r), "%+q", p.stdout.String()+p.stderr.String())
			}
		}
		assert.Contains(t, watching.stderr.String(), `Received event "put"`)
	}
}

func TestTimesAreInUTC(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	began := time.Now().UTC().Format("2006-01-02T15")
	p := start(t, append(service(server.URL), "TZ=Asia/Kathmandu"), "watch", "--once")
	p.exit(exitOK)
	if now := time.Now().UTC().Format("2006-01-02T15"); now != began {
		began = fmt.Sprintf("(%s|%s)", began, now)
	}
	assert.Regexp(t, `^`+began+`:\d\d:\d\dZ  received all`, p.stdout.String())
	assert.Regexp(t, `^`+began+`:\d\d:\d\d\.\d\d\dZ INFO: Connecting`, p.stderr.String())
}
