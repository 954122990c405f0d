package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/freeport"
)

// lostNothing fails if the relay was told to drop an environment.
func (r relay) lostNothing(t *testing.T) {
	t.Helper()
	for _, call := range r.calls.Calls() {
		assert.NotEqual(t, autoconfigtest.DeleteEnvironment, call.Kind, "lost %s", call.ID)
	}
}

// Relays follow two hubs, one behind the other, which are killed at any moment while the source changes.
func TestHubsThatAreKilledAtAnyMomentLoseNoEnvironment(t *testing.T) {
	t.Parallel()
	const changesEach = 20
	upstream := autoconfigtest.NewServer(t)
	ids := []config.EnvironmentID{autoconfigtest.MakeEnvironment(1, 1).EnvID}
	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	var hubs [2]hubProcess
	var starts [2]func()
	var caches [2]string
	follows := upstream.URL
	for i := range hubs {
		addr, source := freeport.Address(t), follows
		caches[i] = inFolder(t, "cache")
		starts[i] = func() {
			hubs[i] = startHub(t, hubKey, "--addr", addr, "--stream-uri", source, "--cache-file", caches[i])
		}
		starts[i]()
		follows = "http://" + addr
		hubs[i].serves()
	}
	relays := []relay{startRelay(t, hubs[0].url("relays"), testKey), startRelay(t, hubs[1].url("relays"), testKey)}
	for _, r := range relays {
		r.hasIDs(t, ids...)
	}
	for round, kind := range []string{"killed", "both killed", "killed", "cache lost", "service down"} {
		t.Log(kind)
		killedAt := rand.IntN(changesEach)
		for i := range changesEach {
			env := autoconfigtest.MakeEnvironment(len(ids)+1, 1)
			ids = append(ids, env.EnvID)
			upstream.Patch(env)
			if i != killedAt {
				continue
			}
			victims := []int{round % 2}
			if kind == "both killed" || kind == "service down" {
				victims = []int{0, 1}
			}
			if kind == "service down" {
				upstream.FailNext(2, http.StatusServiceUnavailable, nil)
				upstream.DropConnections()
			}
			for _, at := range victims {
				hubs[at].kill()
				if kind == "cache lost" {
					require.NoError(t, os.RemoveAll(caches[at]))
				}
				starts[at]()
			}
		}
		for _, r := range relays {
			r.hasIDs(t, ids...)
		}
	}
	for _, r := range relays {
		r.lostNothing(t)
	}
}

// A full disk is stood in for by a limit on the size of files, which fails writes in the same place.
func TestAHubSurvivesACacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	one, two, three := autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1), autoconfigtest.MakeEnvironment(3, 1)
	upstream.Put(autoconfigtest.MakePut(one))
	path := inFolder(t, "cache")
	h := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-file", path)
	h.serves()
	r := startRelay(t, h.url("relays"), testKey)
	r.hasIDs(t, one.EnvID)
	requireCached(t, path, testKey, 1)
	limit := func(bytes uint64) {
		require.NoError(t, unix.Prlimit(h.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil))
	}
	limit(0)
	upstream.Patch(two)
	h.says(&h.stderr, "The configuration could not be saved in ")
	r.hasIDs(t, one.EnvID, two.EnvID)
	upstream.Patch(three)
	r.hasIDs(t, one.EnvID, two.EnvID, three.EnvID)
	requireCached(t, path, testKey, 1)
	startRelay(t, h.url("relays"), testKey).hasIDs(t, one.EnvID, two.EnvID, three.EnvID)
	limit(unix.RLIM_INFINITY)
	h.says(&h.stderr, "The configuration is saved in ")
	requireCached(t, path, testKey, 3)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left over")
	assert.Equal(t, uint64(1), r.Status().Connections)
}

func TestAHubIsFlatAfterThousandsOfRelaysThatAbort(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile))
	h.serves()
	address := strings.TrimPrefix(h.url("relays"), "http://")
	health := h.url("health")
	r := startRelay(t, h.url("relays"), testKey)
	r.has(t, "web/production", "shop/production")
	abort := func(n int) {
		for i := range n {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			_, _ = fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\n\r\n", testKey)
			if i%2 == 0 {
				_, _ = io.ReadFull(conn, make([]byte, 100))
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}
	metric := func(name string) (value float64) {
		_, body := get(t, health+"/metrics")
		_, after, found := strings.Cut(body, "\n"+name+" ")
		require.True(t, found, name)
		_, err := fmt.Sscan(after, &value)
		require.NoError(t, err)
		return value
	}
	abort(500)
	const others = 5 // connections of probes
	goroutines, files, memory := metric("go_goroutines"), metric("process_open_fds"), metric("process_resident_memory_bytes")
	abort(3000)
	require.Eventually(t, func() bool {
		return metric("go_goroutines") <= goroutines+others && metric("process_open_fds") <= files+others
	}, soon, 50*time.Millisecond)
	assert.Less(t, metric("process_resident_memory_bytes"), memory+32<<20)
	assert.Equal(t, uint64(1), r.Status().Connections)
}
