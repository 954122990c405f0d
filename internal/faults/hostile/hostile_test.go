package hostile

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

// service behaves, or commits an attack.
type service struct {
	uri    string
	behave *autoconfigtest.Server
	attack atomic.Pointer[attack]
}

func newService(t *testing.T) *service {
	s := &service{behave: autoconfigtest.NewServer(t)}
	s.behave.Put(autoconfigtest.MakePut(rig.Environment(1, 1), rig.Environment(2, 1)))
	behave := s.behave.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := s.attack.Load(); a != nil {
			a.serve(w, r)
		} else {
			behave.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.uri = server.URL
	return s
}

func (a *attack) options() rig.Options {
	return rig.Options{RetryDelay: 50 * time.Millisecond, Manager: []autoconfig.Option{
		autoconfig.WithMaxEventSize(cmp.Or(a.maxEventSize, maxEventSize)), autoconfig.WithReadTimeout(readTimeout)}}
}

// The attacks come one after the other, because memory is measured, to a relay that knows its environments already.
func TestWhateverTheServiceDoes(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			s := newService(t)
			relay := rig.Follow(t, s.uri, a.options())
			known := rig.ViewOf(rig.Environment(1, 1), rig.Environment(2, 1))
			relay.WaitForView(t, known, rig.Soon)

			heap := watchHeap()
			s.attack.Store(&a)
			s.behave.DropConnections()
			waitForAttack(t, relay, &a)
			peak := heap.stop()
			t.Logf("%.1f MB of heap at most; %+v", peak/megabyte, relay.Manager.Status().LastError)
			assert.LessOrEqual(t, peak, float64(cmp.Or(a.heap, 8)*megabyte), "bytes of heap")
			view := relay.View()
			for id, name := range known {
				assert.Equal(t, name, view[id], "what is known stays")
			}
			assert.NotContains(t, view, config.EnvironmentID("new"), "what is broken is not applied")

			s.attack.Store(nil)
			s.behave.DropConnections()
			s.behave.Patch(rig.Environment(1, 2))
			if a.slow {
				relay = rig.Follow(t, s.uri, a.options())
			}
			relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 2), rig.Environment(2, 1)), rig.Soon)
		})
	}
}

// A redirect to another host is followed without the key.
func TestARedirectToAnotherHostDoesNotGetTheKey(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newService(t)
		relay := rig.Follow(t, s.uri, (&attack{}).options())
		relay.WaitForPuts(t, 1, rig.Soon)
		keys := make(chan string, 100)
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keys <- fmt.Sprint(r.Header, r.URL)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		t.Cleanup(elsewhere.Close)
		s.attack.Store(&attack{serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
		}})
		s.behave.DropConnections()
		assert.NotContains(t, <-keys, string(rig.Key))
		require.Eventually(t, func() bool { return relay.Manager.Status().LastError.StatusCode == http.StatusUnauthorized },
			rig.Soon, time.Millisecond)
		assert.Contains(t, relay.Manager.Status().LastError.Message, "redirected to another host")
		assert.NoError(t, relay.Manager.Err(), "it was not the service that rejected the key")
		assert.Len(t, relay.View(), 2)
	}
}

// waitForAttack waits until the attack has shown in the status, twice if it is repeated soon.
func waitForAttack(t *testing.T, relay *rig.Relay, a *attack) {
	t.Helper()
	if a.kind == "" {
		connections := relay.Manager.Status().Connections
		require.Eventually(t, func() bool { return relay.Manager.Status().Connections > connections }, rig.Soon, time.Millisecond)
		// Then the read timeout drops it, because there is no put.
		a.kind, a.message = autoconfig.ErrorKindTimeout, ""
	}
	seen := func() bool {
		lastError := relay.Manager.Status().LastError
		return lastError != nil && lastError.Kind == a.kind && containsFold(lastError.Message, a.message)
	}
	if !assert.Eventually(t, seen, rig.Soon, time.Millisecond) {
		t.Fatalf("want %s %q; the log is %s", a.kind, a.message, relay.Log())
	}
	assert.Less(t, len(relay.Manager.Status().LastError.Message), 500)
}

// heapWatch finds how much the heap grows. The service's part is in it.
type heapWatch struct {
	before uint64
	done   chan struct{}
	peak   chan uint64
}

func watchHeap() *heapWatch {
	w := &heapWatch{before: liveHeap(), done: make(chan struct{}), peak: make(chan uint64)}
	go func() {
		var peak uint64
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, liveHeap())
			select {
			case <-w.done:
				w.peak <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return w
}

// liveHeap returns the size of the heap after a collection of garbage. Garbage that is made between the collection and the look does not
// count: on a busy machine that is any amount.
func liveHeap() uint64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

func (w *heapWatch) stop() float64 {
	close(w.done)
	return max(0, float64(<-w.peak)-float64(w.before))
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
