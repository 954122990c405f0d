//go:build linux && servers

package between

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// eachWay runs a test with nginx and with HAProxy, in each way in which a relay can talk to them.
func eachWay(t *testing.T, test func(t *testing.T, service *autoconfigtest.Server, relay *rig.Relay)) {
	for name, d := range map[string]daemon{"nginx": nginx, "haproxy": haproxy} {
		for protocol, s := range map[string]settings{
			"HTTP-1.1": {}, "HTTP-1.1 over TLS": {TLS: true}, "HTTP-2": {TLS: true, HTTP2: true},
		} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				service := autoconfigtest.NewServer(t)
				service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
				s.Service = service.URL
				uri, options := "http://", rig.Options{}
				if s.TLS {
					uri, options.Proxy = "https://", config.ProxyConfig{CACertFiles: []string{caFile(t)}}
				}
				relay := rig.Follow(t, uri+d.start(t, s), options)
				relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 1)), rig.Soon)
				if s.HTTP2 {
					assert.Contains(t, service.Requests()[0].Header.Get("X-Client-Protocol"), "HTTP/2")
				} else {
					assert.Equal(t, "HTTP/1.1", service.Requests()[0].Header.Get("X-Client-Protocol"))
				}
				test(t, service, relay)
			})
		}
	}
}

func TestAnIdleTimeoutDropsASilentStreamAndItRecovers(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, service *autoconfigtest.Server, relay *rig.Relay) {
		recovers(t, service, relay)
	})
}

// recovers waits until the silent line was dropped and made again, by when a change that came between is there.
func recovers(t *testing.T, service *autoconfigtest.Server, relay *rig.Relay) {
	t.Helper()
	require.Eventually(t, func() bool { return relay.Manager.Status().Connections >= 2 }, rig.Soon, time.Millisecond)
	service.Patch(rig.Environment(1, 2))
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 2)), rig.Soon)
	require.NotNil(t, relay.Manager.Status().LastError)
	assert.Equal(t, autoconfig.ErrorKindNetwork, relay.Manager.Status().LastError.Kind)
}

func TestCommentsKeepTheStreamUpThroughAnIdleTimeout(t *testing.T) {
	t.Parallel()
	eachWay(t, staysUp)
}

// staysUp sends comments, five a second, for three times the idle timeout.
func staysUp(t *testing.T, service *autoconfigtest.Server, relay *rig.Relay) {
	t.Helper()
	const comments = 5 * 3 * idle
	for range comments {
		time.Sleep(time.Second / 5)
		service.Comment("")
	}
	service.Patch(rig.Environment(1, 2))
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 2)), rig.Soon)
	status := relay.Manager.Status()
	assert.EqualValues(t, 1, status.Connections)
	assert.EqualValues(t, comments, status.KeepAlives)
	assert.Nil(t, status.LastError)
}

// throughTinyproxy follows a service through a forward proxy that wants a password.
func throughTinyproxy(t *testing.T, service *autoconfigtest.Server, password string, caFiles ...string) *rig.Relay {
	t.Helper()
	proxy := &url.URL{Scheme: "http", Host: tinyproxy.start(t, settings{})}
	return rig.Follow(t, service.URL, rig.Options{Proxy: config.ProxyConfig{
		URL: proxy, User: "relay", Password: password, CACertFiles: caFiles}})
}

func TestAForwardProxyWithAuthentication(t *testing.T) {
	t.Parallel()
	newService := map[string]func(testing.TB) *autoconfigtest.Server{
		"HTTP": autoconfigtest.NewServer, "HTTPS": autoconfigtest.NewTLSServer,
	}
	tests := map[string]func(*testing.T, *autoconfigtest.Server, *rig.Relay){"silence": recovers, "comments": staysUp}
	for scheme, newService := range newService {
		for name, test := range tests {
			t.Run(scheme+" "+name, func(t *testing.T) {
				t.Parallel()
				service := newService(t)
				service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
				var caFiles []string
				if scheme == "HTTPS" {
					caFiles = []string{filepath.Join(t.TempDir(), "ca.pem")}
					require.NoError(t, os.WriteFile(caFiles[0], service.CertificatePEM(), 0o600))
				}
				relay := throughTinyproxy(t, service, "proxy-password", caFiles...)
				relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 1)), rig.Soon)
				test(t, service, relay)
			})
		}
	}
	// tinyproxy answers a wrong password with 401. In the tunnel of HTTPS that is an answer to CONNECT and so the proxy's.
	// Without, nothing tells it from an answer of the service.
	t.Run("HTTPS a wrong password", func(t *testing.T) {
		t.Parallel()
		service := autoconfigtest.NewTLSServer(t)
		relay := throughTinyproxy(t, service, "wrong-password")
		require.Eventually(t, func() bool { return relay.Manager.Status().LastError != nil }, rig.Soon, time.Millisecond)
		lastError := relay.Manager.Status().LastError
		assert.Equal(t, autoconfig.ErrorKindNetwork, lastError.Kind)
		assert.Contains(t, lastError.Message, "Unauthorized")
		assert.Equal(t, autoconfig.StateInitializing, relay.Manager.Status().State)
		assert.NotContains(t, relay.Log(), "wrong-password")
		assert.Empty(t, service.Requests())
	})
	t.Run("HTTP a wrong password", func(t *testing.T) {
		t.Parallel()
		service := autoconfigtest.NewServer(t)
		relay := throughTinyproxy(t, service, "wrong-password")
		<-relay.Manager.Done()
		require.ErrorIs(t, relay.Manager.Err(), autoconfig.ErrInvalidKey)
		require.ErrorContains(t, relay.Manager.Err(), "401")
		assert.Empty(t, service.Requests())
	})
}

// nginx's default is to buffer. It still passes on at once what it gets in chunks, over HTTP/1.1.
func TestAProxyThatBuffersChunksPassesThemOn(t *testing.T) {
	t.Parallel()
	service, relay := buffered(t, settings{Buffers: true})
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 1)), rig.Soon)
	service.Patch(rig.Environment(1, 2))
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 2)), rig.Soon)
	assert.EqualValues(t, 1, relay.Manager.Status().Connections)
}

// Over HTTP/1.0, its default towards the service, it holds back what does not fill a buffer, comments too, and drops
// that when the service was idle for too long. The relay can't see more than this: connections come up and are lost, and
// the state stays as it was.
func TestAProxyThatHoldsEventsBackIsSeenInTheStatus(t *testing.T) {
	t.Parallel()
	service, relay := buffered(t, settings{Buffers: true, HTTP10: true})
	require.Eventually(t, func() bool { return relay.Manager.Status().Connections >= 2 }, rig.Soon, time.Millisecond)
	status := relay.Manager.Status()
	assert.Equal(t, autoconfig.StateInitializing, status.State)
	assert.Equal(t, autoconfig.ErrorKindNetwork, status.LastError.Kind)
	assert.Empty(t, relay.View())
	// As soon as buffers fill up, what was held back comes.
	filled := time.NewTicker(100 * time.Millisecond)
	defer filled.Stop()
	for relay.Puts() == 0 {
		<-filled.C
		service.Comment(strings.Repeat(" ", 16<<10))
	}
	relay.WaitForView(t, rig.ViewOf(rig.Environment(1, 1)), rig.Soon)
}

func buffered(t *testing.T, s settings) (*autoconfigtest.Server, *rig.Relay) {
	t.Helper()
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
	s.Service = service.URL
	return service, rig.Follow(t, "http://"+nginx.start(t, s), rig.Options{})
}
