package hub_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
)

// Costs are counted here in allocations and bytes, because those do not depend on the machine; see docs/performance.md
// for times.

// configured is a hub with environments in projects of ten, and views that see nothing of project 0.
func configured(t testing.TB, environments, otherViews int) *hub.Hub {
	h := hub.New()
	h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	keys := []hub.Key{{Name: "all", Key: testKey}}
	for i := range otherViews {
		keys = append(keys, hub.Key{Name: "other", Key: otherKey(i), Projects: []string{fmt.Sprintf("project-%d", i+1)}})
	}
	require.NoError(t, h.SetKeys(keys))
	var all []autoconfig.Change
	for i := range environments {
		all = append(all, envIn(fmt.Sprintf("project-%d", i/10), fmt.Sprintf("env-%d", i), fmt.Sprintf("id-%d", i), 1))
	}
	h.Changes(true, all)
	for i := range otherViews {
		viewOf(t, h, otherKey(i))
	}
	viewOf(t, h, testKey)
	return h
}

func otherKey(i int) config.AutoConfigKey {
	return config.AutoConfigKey(fmt.Sprintf("rel-other-%d", i))
}

// viewOf makes sure that the hub has the view of a key.
func viewOf(t testing.TB, h *hub.Hub, key config.AutoConfigKey) hub.View {
	grant, err := h.Authenticate(key)
	require.NoError(t, err)
	return grant.View(1)
}

// spent returns the allocations and the bytes allocated per call, on average over the runs.
func spent(runs int, call func(i int)) (allocations, bytes float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range runs {
		call(i)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// patches returns a function that changes an environment of project 0.
func patches(h *hub.Hub, runs int) func(int) {
	prepared := make([][]autoconfig.Change, runs)
	for i := range prepared {
		prepared[i] = []autoconfig.Change{envIn("project-0", "env-0", "id-0", 2+i)}
	}
	return func(i int) { h.Changes(false, prepared[i]) }
}

// fastest returns the time of the fastest of many calls, which other work on the machine does not change.
func fastest(runs int, call func(i int)) time.Duration {
	best := time.Hour
	for i := range runs {
		start := time.Now()
		call(i)
		best = min(best, time.Since(start))
	}
	return best
}

// TestAPatchCostsTheSameWhateverItDoesNotTouch looks at the time, too: to look at each item or view allocates nothing.
func TestAPatchCostsTheSameWhateverItDoesNotTouch(t *testing.T) {
	const runs = 500
	small := configured(t, 10, 0)
	allocations, bytes := spent(runs, patches(small, runs))
	took := fastest(runs, patches(configured(t, 10, 0), runs))
	for name, test := range map[string]struct{ environments, otherViews int }{
		"many environments":            {10_000, 0},
		"many views that don't see it": {20, 1000},
		"many of both":                 {2000, 200},
	} {
		t.Run(name, func(t *testing.T) {
			large := configured(t, test.environments, test.otherViews)
			a, b := spent(runs, patches(large, runs))
			assert.InDelta(t, allocations, a, 1)
			assert.InDelta(t, bytes, b, 200)
			assert.Less(t, fastest(runs, patches(configured(t, test.environments, test.otherViews), runs)), 3*took)
		})
	}
	assert.Less(t, allocations, 25.0)
}

// TestAPutIsEncodedOnce counts the bytes allocated while relays connect, and afterwards while they follow.
func TestAPutIsEncodedOnce(t *testing.T) {
	const size, relays, events = 2 << 20, 20, 50
	for name, accepted := range map[string]string{"plain": "identity", "gzip": "gzip"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			all := largeConfiguration(size)
			_, bytes := spent(1, func(int) { s.Changes(true, all) })
			assert.Less(t, bytes, float64(size), "nobody needs a put yet")
			s.drink(t, accepted, 1)
			_, bytes = spent(1, func(int) { s.drink(t, accepted, relays) })
			assert.Less(t, bytes, float64(size), "further relays take the put that there is")
			_, bytes = spent(events, func(i int) { s.Changes(false, changes{env("new", 1+i)}) })
			assert.Less(t, bytes, size/4.0, "relays that follow need no put")
		})
	}
}

// drink connects relays that read and discard the stream, and waits until they have all.
func (s *server) drink(t *testing.T, accepted string, relays int) {
	n := len(s.Relays()) + relays
	for range relays {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\nAccept-Encoding: %s\r\n\r\n", testKey, accepted)
		require.NoError(t, err)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	eventually(t, func() bool {
		all := s.Relays()
		return len(all) == n && !slices.ContainsFunc(all, func(r hub.Relay) bool { return !r.Current })
	})
}

// TestViewsShareTexts gives a hundred views the same large items.
func TestViewsShareTexts(t *testing.T) {
	const views, size = 100, 4 << 20
	h := hub.New()
	keys := []hub.Key{{Name: "all", Key: testKey}}
	for i := range views {
		keys = append(keys, hub.Key{Name: "other", Key: otherKey(i), Projects: []string{"web", fmt.Sprintf("project-%d", i)}})
	}
	require.NoError(t, h.SetKeys(keys))
	h.Changes(true, largeConfiguration(size))
	before := heap()
	for i := range views {
		viewOf(t, h, otherKey(i))
	}
	assert.Less(t, heap(), before+size/2)
	large := env("large", 1)
	large.Text = json.RawMessage(fmt.Sprintf(`{"envID":"large","projKey":"web","version":1,"filling":%q}`, strings.Repeat("x", 1<<20)))
	_, bytes := spent(1, func(int) { h.Changes(false, changes{large}) })
	assert.Less(t, bytes, 3e6, "one event of a megabyte for all views")
	runtime.KeepAlive(h)
}

// TestIdleRelaysCostNoWakeUps counts how often goroutines are run while nothing happens for hours, and the
// cost of the keepalives.
func TestIdleRelaysCostNoWakeUps(t *testing.T) {
	const relays = 200
	idle := func(options ...hub.Option) (perHour float64) {
		inMemory(t, func(t *testing.T, m *memory) {
			for range relays {
				l := m.open(t, testKey, "")
				go func() { _, _ = io.Copy(io.Discard, l.reader) }()
			}
			const hours, rounds = 4, 5
			time.Sleep(time.Hour) // deadlines that were set have passed
			synctest.Wait()
			perHour = math.Inf(1)
			for range rounds { // the runtime's own goroutines count, too, when they have something to do
				before := scheduled()
				time.Sleep(hours * time.Hour)
				synctest.Wait()
				perHour = min(perHour, float64(scheduled()-before)/hours)
			}
		}, options...)
		return perHour
	}
	assert.Less(t, idle(noKeepalives), relays/10.0, "runs of goroutines an hour, for all relays together")
	assert.Less(t, idle(hub.WithKeepalive(time.Hour)), 20.0*relays, "runs of goroutines for a keepalive to each, with those of its reader")
}

// scheduled is about how often goroutines were run so far: the runtime counts one run in eight.
func scheduled() (n uint64) {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	for _, count := range sample[0].Value.Float64Histogram().Counts {
		n += 8 * count
	}
	return n
}
