package hub

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

// TestTheFanOutWakesARelayThatWaitsForIt has a relay whose keepalive is due while the fan-out writes to it. Its goroutine
// waits until it is given back, and goes on.
func TestTheFanOutWakesARelayThatWaitsForIt(t *testing.T) {
	const longest = time.Minute
	var h *Hub
	lent := func() (lent, recalled bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for r := range h.relays {
			lent, recalled = r.owner == theFanOut, r.recalled
		}
		return lent, recalled
	}
	var seen atomic.Bool
	h = New(WithKeepalive(time.Millisecond), WithDeliveryObserver(func(time.Duration) {
		for end := time.Now().Add(longest); !seen.Load() && time.Now().Before(end); {
			lent, recalled := lent()
			if !lent {
				return // its goroutine has written
			}
			seen.Store(recalled)
		}
	}))
	require.NoError(t, h.SetKeys([]Key{{Name: "all", Key: "rel-1"}}))
	h.SetSource(Source{Kind: SourceStream, Time: time.Now()})
	change := func(version int) {
		text := fmt.Sprintf(`{"envID":"a","projKey":"web","version":%d}`, version)
		h.Changes(version == 1, []autoconfig.Change{{Kind: autoconfig.EnvironmentChanged, ID: "a", Version: version, Text: []byte(text)}})
	}
	change(1)
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: rel-1\r\n\r\n")
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	version := 1
	require.Eventually(t, func() bool {
		version++
		change(version)
		return seen.Load()
	}, longest, 5*time.Millisecond)
	before := h.Status().Counters.Keepalives
	require.Eventually(t, func() bool { return h.Status().Counters.Keepalives > before+1 }, longest, 5*time.Millisecond)
	h.Close() // not after a failure: it would wait for the relay
}
