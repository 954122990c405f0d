package httpconfig

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

const (
	proxyUser     = "proxy-user"
	proxyPassword = "proxy:pass@word"
)

// forwardProxy is a proxy that wants basic authentication, opens tunnels, and forwards requests. Whatever the host
// that is asked for, it connects to one server.
type forwardProxy struct {
	server string
	mu     sync.Mutex
	asked  []string // method and target of each request that was let through
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+proxyPassword))
	if r.Header.Get("Proxy-Authorization") != want {
		w.Header().Set("Proxy-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI)
	p.mu.Unlock()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	if r.Method == http.MethodConnect {
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	} else {
		r.Header.Del("Proxy-Authorization")
		_ = r.Write(server)
	}
	join(client, server)
}

// join carries bytes between two connections until one of them ends, and then closes both.
func join(a, b net.Conn) {
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(a, b); _ = a.Close() })
	_, _ = io.Copy(b, a)
	_ = b.Close()
	back.Wait()
}

func (p *forwardProxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.asked...)
}

func TestForwardProxyWithBasicAuthentication(t *testing.T) {
	ca := newPrivateCA(t)
	answer := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.Host) }
	plain := newServer(t, answer)
	http1 := newTLSServer(t, ca, false, answer)
	http2 := newTLSServer(t, ca, true, answer)
	for _, target := range []struct{ name, url, server, asked, proto string }{
		{"http", "http://relay.test/x", plain.Listener.Addr().String(), "GET http://relay.test/x", "HTTP/1.1"},
		{"https", "https://relay.test/x", http1.Listener.Addr().String(), "CONNECT relay.test:443", "HTTP/1.1"},
		{"https with HTTP/2", "https://relay.test/x", http2.Listener.Addr().String(), "CONNECT relay.test:443", "HTTP/2.0"},
	} {
		for _, scheme := range []string{"http", "https"} {
			t.Run(target.name+" through "+scheme, func(t *testing.T) {
				handler := &forwardProxy{server: target.server}
				var proxy *httptest.Server
				if scheme == "http" {
					proxy = newServer(t, handler.ServeHTTP)
				} else {
					proxy = newTLSServer(t, ca, false, handler.ServeHTTP)
				}
				inURL := mustParse(t, proxy.URL)
				inURL.User = withCredentials(config.ProxyConfig{URL: inURL, User: proxyUser, Password: proxyPassword}).User
				for how, c := range map[string]config.ProxyConfig{
					"fields": {URL: mustParse(t, proxy.URL), User: proxyUser, Password: proxyPassword},
					"URL":    {URL: inURL},
				} {
					c.CACertFiles = []string{ca.file}
					resp, err := get(t, newConfig(t, c).Client(), target.url)
					require.NoError(t, err, how)
					text, err := io.ReadAll(resp.Body)
					require.NoError(t, err, how)
					assert.Equal(t, "hello relay.test", string(text), how)
					assert.Equal(t, target.proto, resp.Proto, how)
				}
				assert.Equal(t, []string{target.asked, target.asked}, handler.seen())
			})
		}
	}
}

func TestProxyThatRefusesTheCredentials(t *testing.T) {
	proxy := newServer(t, (&forwardProxy{}).ServeHTTP)
	client := newConfig(t, config.ProxyConfig{URL: mustParse(t, proxy.URL), User: "u", Password: "secret"}).Client()
	_, err := get(t, client, "https://relay.test")
	assert.ErrorContains(t, err, "Proxy Authentication Required")
	assert.NotContains(t, err.Error(), "secret")
	resp, err := get(t, client, "http://relay.test")
	require.NoError(t, err)
	assert.Equal(t, http.StatusProxyAuthRequired, resp.StatusCode)
}

func TestErrorsHoldNoProxyPassword(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, scheme := range []string{"http", "https", "socks5"} {
		for _, target := range []string{"http://relay.test", "https://relay.test"} {
			proxy := mustParse(t, scheme+"://mallory:hunter2@"+gone.Listener.Addr().String())
			_, err := get(t, newConfig(t, config.ProxyConfig{URL: proxy}).Client(), target)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "mallory")
			assert.NotContains(t, err.Error(), "hunter2")
		}
	}
}

// TestStandardProxyVariablesApplyWithoutAURL runs itself in a process of its own, because net/http reads these
// variables only once.
func TestStandardProxyVariablesApplyWithoutAURL(t *testing.T) {
	if kind := os.Getenv("RELAYCONF_TEST_CONFIG"); kind != "" {
		c := HTTPConfig{}
		if kind == "made" {
			c = newConfig(t, config.ProxyConfig{CACertFiles: []string{os.Getenv("RELAYCONF_TEST_CA")}})
		}
		resp, err := get(t, c.Client(), os.Getenv("RELAYCONF_TEST_TARGET"))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		return
	}
	ca := newPrivateCA(t)
	plain := newServer(t, func(http.ResponseWriter, *http.Request) {})
	secure := newTLSServer(t, ca, true, func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		name, kind, target string
		server             *httptest.Server
		noProxy            string
		asked              []string
	}{
		{"HTTP_PROXY", "made", "http://relay.test/", plain, "", []string{"GET http://relay.test/"}},
		{"HTTPS_PROXY", "made", "https://relay.test/", secure, "", []string{"CONNECT relay.test:443"}},
		{"NO_PROXY", "made", plain.URL, plain, "127.0.0.1", nil},
		{"zero HTTPConfig", "zero", "http://relay.test/", plain, "", []string{"GET http://relay.test/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler := &forwardProxy{server: c.server.Listener.Addr().String()}
			proxy := newServer(t, handler.ServeHTTP)
			withUser := mustParse(t, proxy.URL)
			withUser.User = withCredentials(config.ProxyConfig{URL: withUser, User: proxyUser, Password: proxyPassword}).User

			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStandardProxyVariablesApplyWithoutAURL$")
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
					command.Env = append(command.Env, v)
				}
			}
			command.Env = append(command.Env, "HTTP_PROXY="+withUser.String(), "HTTPS_PROXY="+withUser.String(),
				"NO_PROXY="+c.noProxy, "RELAYCONF_TEST_CONFIG="+c.kind, "RELAYCONF_TEST_CA="+ca.file,
				"RELAYCONF_TEST_TARGET="+c.target,
				"GORACE=atexit_sleep_ms=0") // otherwise the race detector waits a second at the end of each process
			out, err := command.CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Equal(t, append([]string{}, c.asked...), handler.seen())
		})
	}
}
