package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command is tested as a process: the test binary, started again with this variable, is the command.
const asCommand = "RELAYCONF_TEST_AS_COMMAND"

// soon is far more than anything here takes, on a slow machine too.
const soon = 2 * time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// process is a running command.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout text
	stderr text
	ended  chan struct{}

	terminalRead <-chan struct{} // closed when everything was read that the terminal got; nil without one
}

// text is what a process has written so far.
type text struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buffer.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buffer.String()
}

// wholeLines leaves out a line that is still being written.
func (x *text) wholeLines() string {
	written := x.String()
	return written[:strings.LastIndexByte(written, '\n')+1]
}

// start starts the command with no other variables than these.
func start(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	p := prepare(t, environment, args...)
	p.run()
	return p
}

func prepare(t *testing.T, environment []string, args ...string) *process {
	p := &process{t: t, cmd: preparedCommand(environment, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	// For a hook that outlives it and holds its standard error. Enough to copy all that was written, on a busy machine too.
	p.cmd.WaitDelay = 10 * time.Second
	return p
}

func preparedCommand(environment []string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{asCommand + "=1", "PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}, environment...)
	return cmd
}

func (p *process) run() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	p.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if p.t.Failed() {
			p.t.Logf("relayconf %s\nstdout:\n%s\nstderr:\n%s", strings.Join(p.cmd.Args[1:], " "), &p.stdout, &p.stderr)
		}
	})
}

// exit waits for the end, which must come with this exit code.
func (p *process) exit(code int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(soon):
		require.FailNow(p.t, "the command does not end")
	}
	if p.terminalRead != nil {
		<-p.terminalRead
	}
	require.Equal(p.t, code, p.cmd.ProcessState.ExitCode(), "%s", &p.stderr)
}

// says waits until the text is there, with the rest of its line.
func (p *process) says(x *text, want string) {
	p.t.Helper()
	written := x.wholeLines
	if p.terminalRead != nil {
		written = x.String // a bar has no end of a line
	}
	require.Eventually(p.t, func() bool { return strings.Contains(written(), want) }, soon, 5*time.Millisecond,
		"never said: %s", want)
}

// shows waits until the text is there, also within a line that has no end yet.
func (p *process) shows(x *text, want string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(x.String(), want) }, soon, 5*time.Millisecond,
		"never shown: %s", want)
}

// jsonLine is a line of --format json; only what the tests look at.
type jsonLine struct {
	Change      string
	Environment struct{ ID, ProjKey, EnvKey, EnvName, SDKKey string }
	Changed     []string
	Key, Reason string
}

func (p *process) lines() []jsonLine {
	p.t.Helper()
	var lines []jsonLine
	for line := range strings.Lines(p.stdout.wholeLines()) {
		var parsed jsonLine
		require.NoError(p.t, json.Unmarshal([]byte(line), &parsed), line)
		lines = append(lines, parsed)
	}
	return lines
}

func (p *process) changes() []string {
	p.t.Helper()
	var changes []string
	for _, line := range p.lines() {
		changes = append(changes, line.Change)
	}
	return changes
}

// service is the environment of a command that follows the stream at this URL.
func service(url string) []string {
	return []string{"STREAM_URI=" + url, "AUTO_CONFIG_KEY=" + testKey}
}

// redisPassword is in the URL of each Redis server, so that the tests can see that it is in no output.
const redisPassword = "hunter2-hunter2"

const testKey = "rel-00000000-0000-4000-8000-00000000c0de"

// write makes a file.
func write(t *testing.T, path, content string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func requireOwnerOnly(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func inFolder(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
