package hub_test

import (
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

// plainConn only passes bytes on, and says so.
type plainConn struct{ net.Conn }

func (c plainConn) PlainConn() net.Conn { return c.Conn }

// countingConn has a Write of its own.
type countingConn struct {
	*net.TCPConn
	bytes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.TCPConn.Write(p)
}

// wrapping is a listener whose connections are wrapped.
type wrapping struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (w wrapping) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return w.wrap(conn), nil
}

// TestAPatchNeedsNoGoroutineForEachRelay counts the goroutines that write a patch to many relays.
func TestAPatchNeedsNoGoroutineForEachRelay(t *testing.T) {
	const relays = 100
	var counted atomic.Int64
	for name, test := range map[string]struct {
		wrap func(net.Conn) net.Conn
		few  bool
	}{
		"TCP":                          {func(c net.Conn) net.Conn { return c }, true},
		"a wrapper of plain bytes":     {func(c net.Conn) net.Conn { return plainConn{c} }, true},
		"a wrapper":                    {func(c net.Conn) net.Conn { return struct{ net.Conn }{c} }, false},
		"a wrapper with its own bytes": {func(c net.Conn) net.Conn { return countingConn{c.(*net.TCPConn), &counted} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			writers := map[string]bool{}
			h := hub.New(noKeepalives, hub.WithDeliveryObserver(func(time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				writers[goroutine()] = true
			}))
			h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
			require.NoError(t, h.SetKeys([]hub.Key{{Name: "all", Key: testKey}}))
			h.Changes(true, changes{env("a", 1)})
			s := &server{Hub: h, http: httptest.NewUnstartedServer(h)}
			s.http.Listener = wrapping{s.http.Listener, test.wrap}
			s.http.Start()
			defer s.http.Close()
			defer s.Close()
			for range relays {
				s.ask(t, "HTTP/1.1", "")
			}
			current := func() bool {
				all := s.Relays()
				return len(all) == relays && !slices.ContainsFunc(all, func(r hub.Relay) bool { return !r.Current })
			}
			eventually(t, current)
			before := counted.Load()
			s.Changes(false, changes{env("a", 2)})
			eventually(t, current)
			require.Equal(t, uint64(relays), s.Status().Counters.Events)
			if test.few {
				assert.LessOrEqual(t, len(writers), runtime.GOMAXPROCS(0))
			} else {
				assert.Len(t, writers, relays)
			}
			if name == "a wrapper with its own bytes" {
				assert.Greater(t, counted.Load(), before)
			}
		})
	}
}

// goroutine names the goroutine that calls it.
func goroutine() (name string) {
	var id int
	stack := make([]byte, 64)
	_, _ = fmt.Sscanf(string(stack[:runtime.Stack(stack, false)]), "goroutine %d", &id)
	return fmt.Sprint(id)
}
