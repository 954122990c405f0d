//go:build linux && servers

package hubs

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	soon = time.Minute           // far more than anything here takes, on a slow machine too
	poll = 20 * time.Millisecond // between two looks at a thing that is waited for
)

// The command as relays and operators run it, and as the hubs do, which look for data races if the tests do.
var relayProgram, hubProgram string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // they mostly wait
		panic(err)
	}
	zerolog.SetGlobalLevel(zerolog.Disabled)
	folder, err := os.MkdirTemp("", "relayconf-hubs")
	if err != nil {
		panic(err)
	}
	relayProgram = build(folder)
	hubProgram = relayProgram
	if len(buildFlags) > 0 {
		hubProgram = build(folder, buildFlags...)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

func build(folder string, flags ...string) string {
	file := filepath.Join(folder, "relayconf"+strings.Join(flags, ""))
	args := append([]string{"build", "-o", file}, flags...)
	output, err := exec.Command("go", append(args, "github.com/relayconf/relayconf/cmd/relayconf")...).CombinedOutput()
	if err != nil {
		panic(string(output))
	}
	return file
}

// process is a running command.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdout text
	stderr text
	ended  chan struct{}
}

// text is the output of a process so far.
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

// start starts a command with no other variables than these. It is killed when the test ends.
func start(t *testing.T, name, program string, environment []string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		assert.NotContains(t, p.stderr.String(), "DATA RACE", name)
		for _, secret := range []string{theKey, redisPassword} {
			assert.NotContains(t, p.stdout.String()+p.stderr.String(), secret, name)
		}
		if t.Failed() {
			t.Logf("%s wrote at the end:\n%s%s", name, end(p.stdout.String()), end(p.stderr.String()))
		}
	})
	return p
}

// end returns the last lines of a text.
func end(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(s))
}

// stop stops the process, all threads of it, until it gets SIGCONT.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	require.Eventually(t, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
		require.NoError(t, err)
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			if err != nil || !strings.Contains(string(stat), ") T ") {
				return false
			}
		}
		return len(threads) > 0
	}, soon, poll, "%s does not stop", p.name)
}

// kill ends the process as a power cut would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// exit waits for the end, and returns the exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(soon):
		require.FailNow(t, p.name+" does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}
