//go:build !windows

package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

const soon = time.Minute

// reports collects what a runner reports.
type reports struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *reports) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func added(id string) change.Change {
	return change.Change{Kind: change.Added, Env: envfactory.EnvironmentParams{
		EnvID: config.EnvironmentID(id), SDKKey: "sdk-whole-key", MobileKey: "mob-whole-key"}}
}

func TestEachChangeIsRunInOrderAndOneAtATime(t *testing.T) {
	folder := t.TempDir()
	out, lock := filepath.Join(folder, "out"), filepath.Join(folder, "lock")
	var said reports
	// mkdir fails if another run is under way.
	runner := Start(Options{Command: fmt.Sprintf("mkdir %s && cat >>%s && rmdir %s", lock, out, lock),
		Timeout: soon, Grace: soon, Output: os.Stderr, Report: said.add})
	const n = 20
	for i := range n {
		runner.Add(added(fmt.Sprint(i)))
	}
	assert.Equal(t, Counts{Done: n}, runner.Drain(context.Background()), said.String())

	data, err := os.ReadFile(out)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, lines, n)
	for i, line := range lines {
		var got struct {
			Change      string
			Environment struct{ ID, SDKKey, MobileKey string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &got))
		assert.Equal(t, "added", got.Change)
		assert.Equal(t, fmt.Sprint(i), got.Environment.ID)
		assert.Equal(t, "sdk-whole-key", got.Environment.SDKKey, "a hook gets whole keys")
		assert.Equal(t, "mob-whole-key", got.Environment.MobileKey)
	}
}

func TestKeysAreInNoArgumentAndNoVariable(t *testing.T) {
	var out bytes.Buffer
	runner := Start(Options{Command: `env; echo "$0 $@"`, Timeout: soon, Grace: soon, Output: &out, Report: t.Logf})
	runner.Add(added("1"))
	assert.Equal(t, Counts{Done: 1}, runner.Drain(context.Background()))
	assert.NotContains(t, out.String(), "whole-key")
}

func TestAFailureIsReportedAndTheNextChangeIsRun(t *testing.T) {
	var said reports
	var out bytes.Buffer
	runner := Start(Options{Command: `grep -q '"id":"bad"' && exit 7; echo good`, Timeout: soon, Grace: soon, Output: &out, Report: said.add})
	runner.Add(added("bad"))
	runner.Add(added("good"))
	assert.Equal(t, Counts{Done: 1, Failed: 1}, runner.Drain(context.Background()))
	assert.Contains(t, said.String(), `the hook failed for the change "added": exit status 7`)
	assert.Equal(t, "good\n", out.String())
	assert.NotContains(t, said.String(), "whole-key")
}

func TestATimeoutKillsTheWholeGroup(t *testing.T) {
	var said reports
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	// The child of the shell would outlive it, and hold the output open.
	runner := Start(Options{Command: "sleep 100 & wait", Timeout: 200 * time.Millisecond, Grace: soon, Output: write, Report: said.add})
	runner.Add(added("1"))
	assert.Equal(t, Counts{Failed: 1}, runner.Drain(context.Background()))
	require.NoError(t, write.Close())
	require.NoError(t, read.SetReadDeadline(time.Now().Add(soon)))
	_, err = read.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "nobody holds the output open")
	assert.Contains(t, said.String(), "it ran longer than 200ms and was killed")
}

func TestAHookThatReadsNothingSucceeds(t *testing.T) {
	runner := Start(Options{Command: "true", Timeout: soon, Grace: soon, Output: os.Stderr, Report: t.Logf})
	big := added("1")
	big.Env.Identifiers.EnvName = strings.Repeat("x", 1<<20) // more than a pipe holds
	runner.Add(big)
	assert.Equal(t, Counts{Done: 1}, runner.Drain(context.Background()))
}

func TestStopLetsTheRunEndThatIsUnderWayAndStartsNoOther(t *testing.T) {
	folder := t.TempDir()
	begun, end, ended := filepath.Join(folder, "begun"), filepath.Join(folder, "end"), filepath.Join(folder, "ended")
	command := fmt.Sprintf("trap : TERM; mkdir %s; while [ ! -d %s ]; do sleep 0.01; done; mkdir %s", begun, end, ended)
	runner := Start(Options{Command: command, Timeout: soon, Grace: soon, Output: os.Stderr, Report: t.Logf})
	runner.Add(added("1"))
	runner.Add(added("2"))
	require.Eventually(t, func() bool { return exists(begun) }, soon, 5*time.Millisecond)

	stopped := make(chan Counts)
	go func() { stopped <- runner.Stop() }()
	<-runner.stopped.Done()
	require.NoError(t, os.Mkdir(end, 0o700))
	assert.Equal(t, Counts{Done: 1, Waiting: 1}, <-stopped)
	assert.True(t, exists(ended))
	runner.Add(added("3"))
	assert.Equal(t, 1, runner.Counts().Waiting, "nothing is queued after the stop")
}

func TestStopKillsWhatOutlastsTheGraceTime(t *testing.T) {
	folder := t.TempDir()
	begun, survived := filepath.Join(folder, "begun"), filepath.Join(folder, "survived")
	var said reports
	loop := "i=0; while [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; mkdir " + survived
	runner := Start(Options{Command: "trap : TERM; mkdir " + begun + "; " + loop, Timeout: time.Minute, Grace: 50 * time.Millisecond,
		Output: os.Stderr, Report: said.add})
	runner.Add(added("1"))
	require.Eventually(t, func() bool { return exists(begun) }, soon, 5*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Equal(t, Counts{Failed: 1}, runner.Drain(ctx))
	assert.Contains(t, said.String(), "did not end within 50ms of the stop")
	assert.NoDirExists(t, survived)
}

func TestStopSendsSIGTERMFirst(t *testing.T) {
	folder := t.TempDir()
	begun, told := filepath.Join(folder, "begun"), filepath.Join(folder, "told")
	var said reports
	// A shell runs the trap after each child in the foreground.
	runner := Start(Options{Command: fmt.Sprintf("trap 'mkdir %s; exit 3' TERM; mkdir %s; while true; do sleep 0.01; done", told, begun),
		Timeout: time.Hour, Grace: soon, Output: os.Stderr, Report: said.add})
	runner.Add(added("1"))
	require.Eventually(t, func() bool { return exists(begun) }, soon, 5*time.Millisecond)
	assert.Equal(t, Counts{Failed: 1}, runner.Stop())
	assert.True(t, exists(told))
	assert.Contains(t, said.String(), "it was told to end: exit status 3")
}

func TestKillDoesNotWait(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	runner := Start(Options{Command: "trap : TERM; mkdir " + begun + "; while true; do sleep 1; done",
		Timeout: time.Hour, Grace: time.Hour, Output: os.Stderr, Report: t.Logf})
	runner.Add(added("1"))
	require.Eventually(t, func() bool { return exists(begun) }, soon, 5*time.Millisecond)
	runner.Kill()
	assert.Equal(t, Counts{Failed: 1}, runner.Counts())
}

func TestSettledChangesAreOneRunWithAList(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	runner := Start(Options{Command: "cat >>" + out, Timeout: time.Hour, Grace: soon, Settle: time.Hour,
		Output: os.Stderr, Report: t.Logf})
	const n = 3001 // more than a pipe holds
	for i := range n {
		runner.Add(added(fmt.Sprint(i)))
	}
	assert.Equal(t, Counts{Done: 1}, runner.Drain(context.Background()), "the end waits for no further change")
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	var changes []struct {
		Change      string
		Environment struct{ ID, SDKKey string }
	}
	require.NoError(t, json.Unmarshal(data, &changes))
	require.Len(t, changes, n)
	for i, c := range changes {
		assert.Equal(t, fmt.Sprint(i), c.Environment.ID)
	}
	assert.Equal(t, "sdk-whole-key", changes[0].Environment.SDKKey)
	assert.Len(t, strings.Split(string(data), "\n"), n+3, "a change is a line, between those of the brackets")
}

func TestSettledChangesRunWhileThereAreMoreToCome(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	runner := Start(Options{Command: "cat >>" + out, Timeout: time.Hour, Grace: soon, Settle: time.Millisecond,
		Output: os.Stderr, Report: t.Logf})
	runner.Add(added("1"))
	require.Eventually(t, func() bool { return runner.Counts().Done == 1 }, soon, time.Millisecond)
	runner.Add(added("2"))
	require.Eventually(t, func() bool { return runner.Counts().Done == 2 }, soon, time.Millisecond)
	runner.Drain(context.Background())
}

func TestARunWaitsForWhatComesBeforeItUntilTheStop(t *testing.T) {
	before := make(chan struct{})
	runner := Start(Options{Command: "true", Timeout: time.Hour, Grace: soon, Output: os.Stderr, Report: t.Logf,
		Before: func(ctx context.Context) { close(before); <-ctx.Done() }})
	runner.Add(added("1"))
	<-before
	assert.Equal(t, Counts{Waiting: 1}, runner.Stop())
}

func TestABacklogIsReportedAtEachDoubling(t *testing.T) {
	var said reports
	runner := Start(Options{Command: "sleep 60", Timeout: time.Minute, Output: os.Stderr, Report: said.add})
	for range 2*backlog + 1 {
		runner.Add(added("1"))
	}
	counts := runner.Stop()
	assert.GreaterOrEqual(t, counts.Waiting, 2*backlog)
	assert.Contains(t, said.String(), "the hook can't keep up: 1000 changes wait for it")
	assert.Contains(t, said.String(), "the hook can't keep up: 2000 changes wait for it")
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
