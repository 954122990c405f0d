//go:build servers

package page

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program builds the command.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relayconf")
	out, err := exec.Command("go", "build", "-o", path, "../..").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// process is a running command.
type process struct {
	t   *testing.T
	cmd *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *process) written() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// run starts a command that ends with the test.
func run(t *testing.T, path string, environment []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(path, args...)}
	p.cmd.Env = append([]string{"AUTO_CONFIG_KEY=rel-test"}, environment...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("relayconf %s:\n%s", strings.Join(args, " "), p.written())
		}
	})
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// address returns the address of a listener of serve.
func (p *process) address(listener string) (address string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		for line := range strings.Lines(p.written()) {
			var l struct{ Msg, Listener, URL string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "Listening" && l.Listener == listener {
				address = strings.TrimPrefix(l.URL, "http://")
			}
		}
		return address != ""
	}, soon, 10*time.Millisecond)
	return address
}

func TestAnOpenPageOutlivesTheProcessOfTheHub(t *testing.T) {
	path, folder := program(t), t.TempDir()
	environments := filepath.Join(folder, "environments.yaml")
	require.NoError(t, os.WriteFile(environments, []byte("environments:\n  - {id: e1, projKey: web, envKey: production, sdkKey: sdk-secret-e1}\n"), 0o600))
	hub := func(relays, admin string) *process {
		return run(t, path, nil, "serve", "--environments", environments, "--log-format", "json", "--name", "hub-1",
			"--cache-file", filepath.Join(folder, "cache"), "--addr", relays, "--admin-addr", admin)
	}
	const here = "127.77.0.2:0" // nobody else takes the ports while there is no hub
	first := hub(here, here)
	relays, admin := first.address("relays"), first.address("admin")
	run(t, path, []string{"STREAM_URI=http://" + relays}, "watch", "--link", "ws://"+relays, "--name", "eu-1")
	b := open(t, "http://"+admin+"/")
	b.live()
	b.do("window.loaded = true")
	b.shows("#fleet [data-id='eu-1'] .badge.in-sync", "In sync")
	b.shows("#fleet .problem.minor", "The hub started")
	assert.Equal(t, []string{"web/production"}, b.names("environments"))

	first.kill()
	b.shows(".notice", "can't be reached")
	assert.Equal(t, []string{"web/production"}, b.names("environments"), "the former state stays")
	require.NoError(t, os.WriteFile(environments, []byte("environments:\n  - {id: e2, projKey: web, envKey: test, sdkKey: sdk-secret-e2}\n"), 0o600))
	hub(relays, admin)
	b.live()
	b.becomes("document.querySelector('.notice') === null")
	assert.Equal(t, []string{"web/test"}, b.names("environments"), "nothing is left of the former process")
	b.becomes("document.querySelector('#fleet .problem') === null") // the names are kept beside the cache
	b.shows("#fleet [data-id='eu-1'] .badge.in-sync", "In sync")
	assert.True(t, evaluate[bool](b, "window.loaded === true"))
}
