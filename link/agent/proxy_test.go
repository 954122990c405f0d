package agent

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestProxiesOfAllSchemes(t *testing.T) {
	for proxy, want := range map[string]string{
		"http://proxy:3128": "http://proxy:3128", "https://proxy": "http://proxy:443", "https://u:p@proxy:8443": "http://u:p@proxy:8443",
		"socks5://proxy:1080": "socks5://proxy:1080", "socks5h://u:p@proxy:1080": "socks5://u:p@proxy:1080", "": "",
	} {
		transport := &http.Transport{}
		if proxy != "" {
			u, err := url.Parse(proxy)
			require.NoError(t, err)
			transport.Proxy = http.ProxyURL(u)
		}
		dialer := &websocket.Dialer{}
		require.NoError(t, useProxy(dialer, transport, "wss://hub/link"))
		if want == "" {
			assert.Nil(t, dialer.Proxy)
			continue
		}
		got, err := dialer.Proxy(&http.Request{})
		require.NoError(t, err)
		assert.Equal(t, want, got.String(), proxy)
	}
}

func TestTheProxyVariablesAreThoseOfTheHubsScheme(t *testing.T) {
	var asked []string
	transport := &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { asked = append(asked, r.URL.String()); return nil, nil }}
	for _, target := range []string{"ws://hub:8030/link", "wss://hub/link"} {
		require.NoError(t, useProxy(&websocket.Dialer{}, transport, target))
	}
	assert.Equal(t, []string{"http://hub:8030/link", "https://hub/link"}, asked, "so HTTP_PROXY, HTTPS_PROXY and NO_PROXY apply")
}

// newTLSProxy starts a proxy that is reached over TLS, and returns its URL, its certificate and the targets it is asked for.
func newTLSProxy(t *testing.T) (proxy *url.URL, certificate *x509.Certificate, targets <-chan string) {
	asked := make(chan string, 100)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("relay:secret")) {
			http.Error(w, "who are you?", http.StatusProxyAuthRequired)
			return
		}
		asked <- r.Method + " " + r.Host
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		defer far.Close()
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(far, near)
			_ = far.Close()
		}()
		_, _ = io.Copy(near, far)
		_ = near.Close()
		<-done
	}))
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	require.NoError(t, err)
	return proxy, server.Certificate(), asked
}

func TestALinkThroughAProxyThatIsReachedOverTLS(t *testing.T) {
	h := newTestHub(t)
	proxy, certificate, targets := newTLSProxy(t)
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}), 0o600))
	newAgent := func(password string, files ...string) *Agent {
		settings, err := httpconfig.NewHTTPConfig(config.ProxyConfig{URL: proxy, User: "relay", Password: password, CACertFiles: files},
			nil, "", ldlog.NewDisabledLoggers())
		require.NoError(t, err)
		a, err := New(newManager(t, "http://127.0.0.1:1"), h.server.URL, WithName("relay-7"), WithHTTPConfig(settings), WithBackoff(time.Millisecond, 2*time.Millisecond))
		require.NoError(t, err)
		t.Cleanup(a.Close)
		return a
	}
	_, err := newAgent("secret").dial(t.Context())
	assert.ErrorContains(t, err, "certificate")
	_, err = newAgent("wrong", authorities).dial(t.Context())
	assert.ErrorContains(t, err, "Proxy Authentication Required")
	assert.NotContains(t, err.Error(), "wrong")
	a := newAgent("secret", authorities)
	a.Start()
	require.Eventually(t, a.Connected, soon, time.Millisecond)
	assert.Equal(t, "CONNECT "+h.server.Listener.Addr().String(), <-targets)
}
