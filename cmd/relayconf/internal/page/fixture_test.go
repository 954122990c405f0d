package page

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

// soon is far more than anything here takes.
const soon = 2 * time.Minute

// knownHub is a hub whose source and fleet a test sets.
type knownHub struct {
	mu       sync.Mutex
	upstream Upstream
	fleet    Fleet
}

func (h *knownHub) Upstream() Upstream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.upstream
}

func (h *knownHub) Fleet() Fleet {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fleet
}

func (h *knownHub) set(change func(h *knownHub)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

func (h *knownHub) setRelays(relays ...Relay) { h.set(func(h *knownHub) { h.fleet.Relays = relays }) }

// newHub returns a hub whose upstream is fine.
func newHub() *knownHub {
	now := At(time.Now())
	return &knownHub{upstream: Upstream{State: autoconfig.StateValid, StateSince: now, Condition: ConditionOK, Source: "STREAM", Activity: now}}
}

// site is a page that is served.
type site struct {
	*Page
	address string
	server  *http.Server
	ended   chan struct{}
}

// serve serves a page at an address.
func serve(t *testing.T, hub Hub, address string) *site {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	s := &site{Page: New(Options{Hub: hub, Version: "1.2.3", Name: "hub-1"}), address: listener.Addr().String(), ended: make(chan struct{})}
	mux := http.NewServeMux()
	s.Register(mux)
	s.server = &http.Server{Handler: mux}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener)
	}()
	t.Cleanup(s.end)
	return s
}

func (s *site) end() {
	s.Close()
	_ = s.server.Close()
	<-s.ended
}

func (s *site) url() string { return "http://" + s.address + "/" }

// environmentText returns the text of an environment of the project web.
func environmentText(id, key string, version int, more string) autoconfig.Change {
	name, _ := json.Marshal(key)
	text := fmt.Sprintf(`{"envID":%q,"envKey":%s,"envName":%s,"projKey":"web","projName":"Web shop","mobKey":"mob-secret-of-%s","sdkKey":{"value":"sdk-secret-of-%s"%s},"version":%d}`,
		id, name, name, id, id, more, version)
	return autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: version, Text: json.RawMessage(text)}
}

// expiring is a part of an environment's text.
func expiring(key string, at time.Time) string {
	return fmt.Sprintf(`,"expiring":{"value":"sdk-old-key-%s","timestamp":%d}`, key, at.UnixMilli())
}
