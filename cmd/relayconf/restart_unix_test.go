//go:build !windows

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/freeport"
	"github.com/relayconf/relayconf/store"
)

const (
	// startLimit is how long a start from a cache may take, from the start of the process to the last environment, besides
	// slowMachine times the start and end of a process that does nothing.
	startLimit  = 200 * time.Millisecond
	slowMachine = 3
	// Others may have the machine for a moment: the best of so many starts counts.
	starts = 20
)

// serviceProcess starts "relayconf replay" at the address, with a service that knows these environments.
func serviceProcess(t *testing.T, addr string, environments ...envfactory.EnvironmentRep) *process {
	t.Helper()
	data, err := json.Marshal(autoconfig.PutMessageData{Path: "/", Data: autoconfigtest.MakePut(environments...)})
	require.NoError(t, err)
	p := start(t, nil, "replay", write(t, inFolder(t, "service.sse"), fmt.Sprintf("event: put\ndata: %s\n\n", data)), "--addr", addr)
	p.says(&p.stdout, "Serving ")
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	<-p.ended
}

// startedFromCache starts watchers until one has everything from the cache in time, and returns that one.
func startedFromCache(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	best, nothing := soon, soon
	for range starts {
		idle := time.Now()
		start(t, nil, "version").exit(exitOK)
		nothing = min(nothing, time.Since(idle))
		p := prepare(t, environment, args...)
		began := time.Now()
		p.run()
		for !strings.Contains(p.stdout.String(), "received-all") {
			require.Less(t, time.Since(began), soon, "nothing comes from the cache: %s", &p.stderr)
			time.Sleep(time.Millisecond)
		}
		took := time.Since(began)
		if best = min(best, took); best < startLimit+slowMachine*nothing {
			t.Logf("the environments are there %s after the start of the process; to do nothing takes %s",
				took.Round(time.Millisecond), nothing.Round(time.Millisecond))
			return p
		}
		p.kill()
	}
	require.Less(t, best, startLimit+slowMachine*nothing, "the environments are there too late, the best of %d starts", starts)
	return nil
}

// requireTakeOver waits for the first full configuration from the stream, and for nothing but these changes before it.
func (p *process) requireTakeOver(changed, removed envfactory.EnvironmentRep) {
	p.t.Helper()
	p.says(&p.stdout, `"source":"stream"`)
	assert.Equal(p.t, []string{"cache-loaded", "added", "added", "added", "received-all",
		"stream-took-over", "updated", "removed", "received-all"}, p.changes())
	lines := p.lines()
	assert.Equal(p.t, string(changed.EnvID), lines[6].Environment.ID)
	assert.Equal(p.t, string(removed.EnvID), lines[7].Environment.ID)
}

func TestARestartWhileTheServiceIsDownLosesNothing(t *testing.T) {
	one, two, three := autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1), autoconfigtest.MakeEnvironment(3, 1)
	changed := one
	changed.EnvName, changed.Version = "Renamed", 2
	for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(how.String(), func(t *testing.T) {
			addr, path := freeport.Address(t), inFolder(t, "cache")
			variables := service("http://" + addr)
			args := []string{"watch", "--format", "json", "--cache-file", path}
			running := serviceProcess(t, addr, one, two, three)
			p := start(t, variables, args...)
			p.says(&p.stdout, "received-all")
			if how == syscall.SIGKILL {
				requireCached(t, path, testKey, 3) // half a second after it came; SIGTERM saves at once
			}
			running.kill()
			p.says(&p.stdout, "interrupted")
			p.signal(how)
			<-p.ended

			p = startedFromCache(t, variables, args...)
			serviceProcess(t, addr, changed, three)
			p.requireTakeOver(changed, two)
			requireCached(t, path, testKey, 2)
		})
	}
}

func TestTheCacheFollowsAKeyThatIsRotatedBySIGHUP(t *testing.T) {
	t.Parallel()
	const oldKey, newKey = "rel-secret-old1", "rel-secret-new2"
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(twoEnvironments()...))
	key, path := write(t, inFolder(t, "key"), oldKey), inFolder(t, "cache")
	p := start(t, service(server.URL), "watch", "--key-file", key, "--cache-file", path)
	requireCached(t, path, oldKey, 2)
	write(t, key, newKey)
	p.signal(syscall.SIGHUP)
	requireCached(t, path, newKey, 2)
	_, err := fileStore(t, path, oldKey).Load(t.Context())
	require.ErrorIs(t, err, store.ErrWrongKey, "although nothing else has changed")
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
	entries, err := os.ReadDir(strings.TrimSuffix(path, "/cache"))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is set aside")
}

func TestCtrlCBeforeOnceIsDoneIsAFailureAlsoWithACache(t *testing.T) {
	t.Parallel()
	p := start(t, service(nowhere), "watch", "--once", "--cache-file", cached(t, testKey, twoEnvironments()...))
	p.says(&p.stdout, "received all from the cache")
	p.signal(syscall.SIGINT)
	p.exit(exitInterrupted)
}
