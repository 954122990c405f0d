//go:build linux && servers

package between

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

// behindAProxy starts a hub with one environment, a proxy in front of it, and a relay that follows it through the proxy.
func behindAProxy(t *testing.T, d daemon, s settings, options ...hub.Option) (*hub.Hub, *rig.Relay) {
	t.Helper()
	h := hub.New(options...)
	require.NoError(t, h.SetKeys([]hub.Key{{Name: "hub", Key: rig.Key}}))
	h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	h.Changes(true, changed(t, rig.Environment(1, 1)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "HTTP/1.1"
		if s.HTTP2 {
			want = "HTTP/2"
		}
		assert.Contains(t, r.Header.Get("X-Client-Protocol"), want)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		h.Close()
		server.CloseClientConnections()
		server.Close()
	})
	s.Service = server.URL
	uri, relayOptions := "http://", rig.Options{}
	if s.TLS {
		uri, relayOptions.Proxy = "https://", config.ProxyConfig{CACertFiles: []string{caFile(t)}}
	}
	relay := rig.Follow(t, uri+d.start(t, s), relayOptions)
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 1)), rig.Soon)
	return h, relay
}

func changed(t *testing.T, rep envfactory.EnvironmentRep) []autoconfig.Change {
	text, err := json.Marshal(rep)
	require.NoError(t, err)
	return []autoconfig.Change{{Kind: autoconfig.EnvironmentChanged, ID: string(rep.EnvID), Version: rep.Version, Text: text}}
}

// eachProxy runs a test with each proxy in front of a hub, and each way to talk to it.
func eachProxy(t *testing.T, test func(t *testing.T, d daemon, s settings)) {
	for _, row := range []struct {
		name     string
		daemon   daemon
		settings settings
	}{
		{"nginx", nginx, settings{}},
		{"nginx with its defaults", nginx, settings{Untouched: true, HTTP10: true}},
		{"nginx TLS", nginx, settings{TLS: true}},
		{"nginx HTTP-2", nginx, settings{TLS: true, HTTP2: true, Untouched: true}},
		{"HAProxy", haproxy, settings{}},
		{"HAProxy TLS", haproxy, settings{TLS: true}},
		{"HAProxy HTTP-2", haproxy, settings{TLS: true, HTTP2: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			test(t, row.daemon, row.settings)
		})
	}
}

func TestAHubsChangesPassAProxyAtOnceAndItsKeepalivesHoldTheLine(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, d daemon, s settings) {
		h, relay := behindAProxy(t, d, s, hub.WithKeepalive(200*time.Millisecond))
		for version := 2; version <= 3; version++ {
			h.Changes(false, changed(t, rig.Environment(1, version)))
			relay.WaitForView(t, rig.ViewOf(rig.Environment(1, version)), rig.Soon)
		}
		// For longer than the idle timeout of the proxy, there is nothing but keepalives.
		before := relay.Manager.Status().KeepAlives
		require.Eventually(t, func() bool { return relay.Manager.Status().KeepAlives >= before+3*idle*5 }, rig.Soon, time.Millisecond)
		h.Changes(false, changed(t, rig.Environment(1, 4)))
		relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 4)), rig.Soon)
		assert.EqualValues(t, 1, relay.Manager.Status().Connections)
		assert.Nil(t, relay.Manager.Status().LastError)
	})
}

func TestAHubsSilentStreamThatAProxyDropsRecovers(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, d daemon, s settings) {
		h, relay := behindAProxy(t, d, s, hub.WithKeepalive(time.Hour))
		require.Eventually(t, func() bool { return relay.Manager.Status().Connections >= 2 }, rig.Soon, time.Millisecond)
		h.Changes(false, changed(t, rig.Environment(1, 2)))
		relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 2)), rig.Soon)
		require.Eventually(t, func() bool { return h.Status().Relays == 1 }, rig.Soon, time.Millisecond, "the hub lets go of the dropped stream")
	})
}

func TestARelayThatGoesAwayBehindAProxyIsLetGo(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, d daemon, s settings) {
		h, relay := behindAProxy(t, d, s, hub.WithKeepalive(100*time.Millisecond))
		require.Equal(t, 1, h.Status().Relays)
		relay.Manager.Close()
		require.Eventually(t, func() bool { return h.Status().Relays == 0 }, rig.Soon, time.Millisecond)
	})
}
