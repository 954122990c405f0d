//go:build !windows

package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// signalUntilItEnds signals again and again, since a signal that comes shortly after the first counts as that one.
func (p *process) signalUntilItEnds(s syscall.Signal) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		_ = p.cmd.Process.Signal(s) // fails once it has ended
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	}, soon, 50*time.Millisecond, "the command does not end")
}

func TestCtrlCEndsCleanly(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			server := autoconfigtest.NewServer(t)
			server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
			path := inFolder(t, "envs.json")
			p := start(t, service(server.URL), "watch", "--output-file", path)
			p.says(&p.stdout, "received all")
			server.Patch(autoconfigtest.MakeEnvironment(2, 1))
			p.says(&p.stdout, "web/staging")
			p.signal(signal)
			p.exit(exitOK)
			assert.Len(t, readOutput(t, path).Environments, 2, "the output file is up to date")
		})
	}
}

func TestCtrlCEndsTheDemo(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "watch", "--demo")
	p.says(&p.stdout, "received all")
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
	assert.NotContains(t, p.stdout.String(), "That was the demo")
}

func TestCtrlCBeforeOnceIsDoneIsAFailure(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	p := start(t, service(server.URL), "watch", "--once")
	server.WaitForConnections(1, soon)
	p.signal(syscall.SIGINT)
	p.exit(exitInterrupted)
}

func TestCtrlCWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	p := start(t, service("http://127.0.0.1:1"), "watch")
	p.says(&p.stderr, "connecting again")
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
}

func TestHookGetsEachChangeInOrderWithWholeKeys(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1)))
	out := inFolder(t, "out")
	command := fmt.Sprintf("cat >>%s; echo hook was here", out)
	p := start(t, service(server.URL), "watch", "--once", "--format", "json", "--exec", command)
	p.exit(exitOK)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `"change":"added"`)
	assert.Contains(t, lines[2], `"change":"received-all"`)
	for _, number := range []int{1, 2} {
		assert.Contains(t, lines[0]+lines[1], string(autoconfigtest.MakeEnvironment(number, 1).SDKKey.Value))
	}
	assert.Len(t, p.lines(), 3, "what the hook prints is not among the lines")
	assert.Contains(t, p.stderr.String(), "hook was here")
}

func TestOutputFileIsUpToDateBeforeEachHook(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	file := inFolder(t, "envs.json")
	p := start(t, service(server.URL), "watch", "--output-file", file, "--exec-settle", "0", "--exec",
		fmt.Sprintf(`if grep -q '"id":"5f1b'; then grep -c '"id": "5f1b' %s >&2; else test -f %s && echo ready >&2; fi`, file, file))
	p.says(&p.stderr, "ready\n")
	server.Patch(autoconfigtest.MakeEnvironment(1, 1))
	p.says(&p.stderr, "ready\n1\n")
	assert.NotContains(t, p.stderr.String(), "the hook failed")
}

func TestHookThatFailsOrHangsIsReportedAndTheNextHasItsTurn(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p := start(t, service(server.URL), "watch", "--once", "--exec-timeout", "5s",
		"--exec", `if grep -q received-all; then sleep 100 & wait; else exit 7; fi`)
	p.exit(exitHook)
	assert.Contains(t, p.stderr.String(), `the hook failed for the change "added": exit status 7`)
	assert.Contains(t, p.stderr.String(), `the hook failed for the change "received-all": it ran longer than 5s`)
}

func TestASlowHookDoesNotHoldUpTheStream(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p := start(t, service(server.URL), "watch", "--exec", "sleep 100")
	p.says(&p.stdout, "received all")
	server.Patch(autoconfigtest.MakeEnvironment(2, 1))
	p.says(&p.stdout, "web/staging")
	p.signal(syscall.SIGTERM) // else the hook would outlive the test
	p.exit(exitOK)
}

func TestCtrlCLetsTheRunningHookEndAndStartsNoOther(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	goOn, ended := inFolder(t, "go-on"), inFolder(t, "ended")
	p := start(t, service(server.URL), "watch", "--exec",
		fmt.Sprintf("trap : TERM; echo begun >&2; until test -f %s; do sleep 0.01; done; echo ended >>%s", goOn, ended))
	p.says(&p.stdout, "received all")
	p.says(&p.stderr, "begun")
	p.signal(syscall.SIGINT)
	server.WaitForOpenConnections(0, soon) // the signal has arrived
	write(t, goOn, "")
	p.exit(exitOK)
	data, err := os.ReadFile(ended)
	require.NoError(t, err)
	assert.Equal(t, "ended\n", string(data))
	assert.Contains(t, p.stderr.String(), "The hook was not run for the last 1 changes")
}

func TestCtrlCWhileOnceWaitsForTheHook(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p := start(t, service(server.URL), "watch", "--once", "--exec", "trap 'exit 7' TERM; echo begun >&2; sleep 100 & wait")
	p.says(&p.stderr, "begun")
	server.WaitForOpenConnections(0, soon) // it is at its end, and waits
	p.signal(syscall.SIGINT)
	p.exit(exitInterrupted)
	assert.Contains(t, p.stderr.String(), "interrupted before all hooks had run")
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	fifo := inFolder(t, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	hookIsGone := make(chan struct{})
	go func() {
		defer close(hookIsGone)
		_, _ = os.ReadFile(fifo) // until nobody has it open for writing
	}()
	p := start(t, service(server.URL), "watch", "--exec", fmt.Sprintf("trap : TERM; exec 3>%s; echo begun >&2; while true; do sleep 1; done", fifo))
	p.says(&p.stderr, "begun")
	p.signal(syscall.SIGINT)
	server.WaitForOpenConnections(0, soon)
	started := time.Now()
	p.signalUntilItEnds(syscall.SIGINT)
	p.exit(exitInterrupted)
	assert.Less(t, time.Since(started), hookGrace)
	select {
	case <-hookIsGone:
	case <-time.After(soon):
		require.FailNow(t, "the hook lives on")
	}
}

func TestSIGHUPRotatesTheKeyWithoutARestart(t *testing.T) {
	t.Parallel()
	const oldKey, newKey = "rel-secret-key-old1", "rel-secret-key-new2"
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	path := write(t, inFolder(t, "key"), oldKey+"\n")
	p := start(t, append(service(server.URL), "LOG_LEVEL=debug"), "watch", "--key-file", path)
	p.says(&p.stdout, "received all")

	write(t, path, "")
	p.signal(syscall.SIGHUP)
	p.says(&p.stderr, "is empty: it must hold the key; going on with the old key …old1")
	require.NoError(t, os.Remove(path))
	p.signal(syscall.SIGHUP)
	p.says(&p.stderr, "could not read the key file")
	write(t, path, oldKey)
	p.signal(syscall.SIGHUP)
	p.says(&p.stderr, "the key file still has the key …old1")
	assert.Equal(t, 1, server.Connections(), "the old key stays in use")

	write(t, path, newKey)
	p.signal(syscall.SIGHUP)
	server.WaitForConnections(2, soon)
	p.says(&p.stdout, "recovered")
	requests := server.Requests()
	assert.Equal(t, oldKey, requests[0].Header.Get("Authorization"))
	assert.Equal(t, newKey, requests[1].Header.Get("Authorization"))
	assert.Equal(t, 1, strings.Count(p.stdout.String(), "added "), "what is known stays")
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
	assert.NotContains(t, p.stdout.String()+p.stderr.String(), "secret")
}

func TestSIGHUPHasItsDefaultWhereThereIsNoKeyFile(t *testing.T) {
	t.Parallel()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // else the commands would inherit that it is ignored, under nohup
	defer signal.Stop(caught)
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	watching := start(t, service(server.URL), "watch")
	watching.says(&watching.stdout, "received all")
	replaying := start(t, nil, "replay", "../../testdata/captured.sse", "--addr", "127.0.0.1:0")
	replaying.says(&replaying.stdout, "Serving ")
	for _, p := range []*process{watching, replaying} {
		p.signal(syscall.SIGHUP)
		p.exit(-1)
		assert.Equal(t, syscall.SIGHUP, p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
	}
}

func TestAKeyFileThatIsAPipeHoldsNothingUp(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	path := write(t, inFolder(t, "key"), testKey)
	p := start(t, service(server.URL), "watch", "--key-file", path)
	p.says(&p.stdout, "received all")
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	p.signal(syscall.SIGHUP)
	server.Patch(autoconfigtest.MakeEnvironment(2, 1))
	p.says(&p.stdout, "web/staging")
	p.says(&p.stderr, "is a pipe that has not delivered within 5s; going on with the old key")
	p.signal(syscall.SIGHUP)
	p.signal(syscall.SIGTERM) // while it is read again
	p.exit(exitOK)
}

func TestCtrlCEndsARecording(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	path := inFolder(t, "a.sse")
	p := start(t, service(server.URL), "record", path)
	require.Eventually(t, func() bool { data, _ := os.ReadFile(path); return strings.Contains(string(data), "event: put") }, soon, 5*time.Millisecond)
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
	assert.Contains(t, p.stderr.String(), "Recorded 1 events and 0 comments on 1 connections")
	assert.NotContains(t, string(must(os.ReadFile(path))), ":!drop", "the end is not a drop")
}

func TestSIGHUPGivesARecordingANewKey(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	key := write(t, inFolder(t, "key"), "rel-1")
	p := start(t, service(server.URL), "record", inFolder(t, "a.sse"), "--key-file", key)
	server.WaitForConnections(1, soon)
	write(t, key, "rel-2")
	p.signal(syscall.SIGHUP)
	server.WaitForConnections(2, soon)
	assert.Equal(t, "rel-2", server.Requests()[1].Header.Get("Authorization"))
}

func TestCtrlCEndsAReplay(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "replay", "../../testdata/captured.sse", "--addr", "127.0.0.1:0")
	p.says(&p.stdout, "Serving ../../testdata/captured.sse on http://127.0.0.1:")
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
}
