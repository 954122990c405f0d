package autoconfig_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

const (
	key = config.AutoConfigKey("rel-test-key-0001")
	// deadline is for what ought to happen soon. It is long so that a slow machine does not fail a test.
	deadline = time.Minute
)

// follow starts a manager, and closes it at the end of the test.
func follow(t *testing.T, uri string, proxy config.ProxyConfig, options ...autoconfig.Option) (*autoconfig.StreamManager, *autoconfigtest.Recorder) {
	t.Helper()
	httpConfig, err := httpconfig.NewHTTPConfig(proxy, key, "relayconf-test/1.0", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	recorder := autoconfigtest.NewRecorder()
	m := autoconfig.NewStreamManager(key, uri, recorder, httpConfig, 10*time.Millisecond, ldlog.NewDisabledLoggers(), options...)
	t.Cleanup(func() {
		m.Close()
		<-m.Done()
	})
	m.Start()
	return m, recorder
}

// waitForAll waits until a whole configuration was received.
func waitForAll(t *testing.T, recorder *autoconfigtest.Recorder) {
	t.Helper()
	recorder.WaitForKind(t, deadline, autoconfigtest.ReceivedAllEnvironments)
}

func TestOverHTTPS(t *testing.T) {
	for _, protocol := range []string{"HTTP/2.0", "HTTP/1.1"} {
		t.Run(protocol, func(t *testing.T) {
			server := autoconfigtest.NewTLSServer(t)
			server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
			uri, ca := server.URL, server.CertificatePEM()
			if protocol == "HTTP/1.1" {
				plain := httptest.NewTLSServer(server.Handler())
				t.Cleanup(plain.Close)
				uri = plain.URL
				ca = certificatePEM(plain)
			}
			file := filepath.Join(t.TempDir(), "ca.pem")
			require.NoError(t, os.WriteFile(file, ca, 0o600))
			m, recorder := follow(t, uri, config.ProxyConfig{CACertFiles: []string{file}})
			waitForAll(t, recorder)
			server.DropConnections()
			server.WaitForConnections(2, deadline)
			waitForAll(t, recorder)
			assert.EqualValues(t, 2, m.Status().Connections)
			for _, request := range server.Requests() {
				assert.Equal(t, protocol, request.Proto)
				assert.Equal(t, "relayconf-test/1.0", request.Header.Get("User-Agent"))
				assert.Equal(t, string(key), request.Header.Get("Authorization"))
			}
		})
	}
}

func TestACertificateThatIsNotTrustedIsRetriedSlowly(t *testing.T) {
	server := autoconfigtest.NewTLSServer(t)
	m, _ := follow(t, server.URL, config.ProxyConfig{})
	require.Eventually(t, func() bool { return m.Status().LastError != nil }, deadline, time.Millisecond)
	assert.Equal(t, autoconfig.ErrorKindNetwork, m.Status().LastError.Kind)
	assert.Contains(t, m.Status().LastError.Message, "certificate is not trusted")
	assert.Equal(t, autoconfig.StateInitializing, m.Status().State)
}

func TestThroughAForwardProxyWithBasicAuthentication(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	proxied := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:proxy-password")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		proxied <- r.URL.String()
		r.Header.Del("Proxy-Authorization")
		r.RequestURI = ""
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
		copyFlushing(w, response.Body)
	}))
	t.Cleanup(proxy.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	proxyURL, err := url.Parse(proxy.URL)
	require.NoError(t, err)

	_, recorder := follow(t, server.URL, config.ProxyConfig{URL: proxyURL, User: "me", Password: "proxy-password"})
	waitForAll(t, recorder)
	server.Patch(autoconfigtest.MakeEnvironment(1, 2))
	recorder.WaitForKind(t, deadline, autoconfigtest.UpdateEnvironment)
	assert.Equal(t, server.URL+"/relay_auto_config", <-proxied)
}

func TestBasePathAndQueryOfTheURIAreKept(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	_, recorder := follow(t, server.URL+"/base/path/?tenant=a%20b", config.ProxyConfig{}, autoconfig.WithProtocolVersion(2))
	waitForAll(t, recorder)
	request := server.Requests()[0]
	assert.Equal(t, "/base/path/relay_auto_config?tenant=a%20b&rpacProtocolVersion=2", request.URL.String())
	assert.Equal(t, "text/event-stream", request.Header.Get("Accept"))
	assert.Equal(t, "no-cache", request.Header.Get("Cache-Control"))
}

func TestARedirectToAnotherHostNeverCarriesTheKey(t *testing.T) {
	other := make(chan http.Header, 100)
	status := http.StatusUnauthorized
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		other <- r.Header
		w.WriteHeader(status)
	}))
	t.Cleanup(elsewhere.Close)
	server := autoconfigtest.NewServer(t)
	server.FailNext(1, http.StatusTemporaryRedirect, http.Header{"Location": {elsewhere.URL + "/relay_auto_config"}})

	m, _ := follow(t, server.URL, config.ProxyConfig{})
	header := <-other
	assert.NotContains(t, header, "Authorization")
	require.Eventually(t, func() bool { return m.Status().LastError != nil }, deadline, time.Millisecond)
	assert.Contains(t, m.Status().LastError.Message, "is not sent the key")
	require.NoError(t, m.Err(), "that says nothing about the key, so it is not final")
}

func TestARedirectWithinTheHostKeepsTheKey(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	server.SetKey(key)
	server.FailNext(1, http.StatusPermanentRedirect, http.Header{"Location": {"/elsewhere/relay_auto_config"}})
	_, recorder := follow(t, server.URL, config.ProxyConfig{})
	waitForAll(t, recorder)
	assert.Len(t, server.Requests(), 2)
}

// How soon is a matter of exact time: TestRule17CloseTakesEffectAtOnce. Here real sockets and handshakes are under way.
func TestRule17CloseEndsEachPhaseOverRealHTTP(t *testing.T) {
	closes := func(t *testing.T, m *autoconfig.StreamManager) {
		t.Helper()
		m.Close()
		select {
		case <-m.Done():
		case <-time.After(deadline):
			t.Fatal("it does not end")
		}
		assert.Equal(t, autoconfig.ErrClosed, m.Err())
	}
	t.Run("dialling a host that does not answer", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		m, _ := follow(t, "http://"+listener.Addr().String(), config.ProxyConfig{})
		conn, err := listener.Accept()
		require.NoError(t, err)
		closes(t, m)
		_ = conn.Close()
	})
	t.Run("in a TLS handshake", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		m, _ := follow(t, "https://"+listener.Addr().String(), config.ProxyConfig{})
		conn, err := listener.Accept()
		require.NoError(t, err)
		closes(t, m)
		_ = conn.Close()
	})
	t.Run("waiting to retry", func(t *testing.T) {
		server := autoconfigtest.NewServer(t)
		server.FailNext(1, http.StatusNotFound, nil)
		m, _ := follow(t, server.URL, config.ProxyConfig{})
		require.Eventually(t, func() bool { return m.Status().LastError != nil }, deadline, time.Millisecond)
		closes(t, m)
	})
	for _, scheme := range []string{"http", "https"} {
		t.Run("reading over "+scheme, func(t *testing.T) {
			server := autoconfigtest.NewServer(t)
			var proxy config.ProxyConfig
			if scheme == "https" {
				server = autoconfigtest.NewTLSServer(t)
				file := filepath.Join(t.TempDir(), "ca.pem")
				require.NoError(t, os.WriteFile(file, server.CertificatePEM(), 0o600))
				proxy.CACertFiles = []string{file}
			}
			server.Put(autoconfigtest.MakePut())
			m, recorder := follow(t, server.URL, proxy)
			waitForAll(t, recorder)
			server.Raw("event: put\ndata: {")
			closes(t, m)
		})
	}
	t.Run("before Start and twice", func(t *testing.T) {
		m := autoconfig.NewStreamManager(key, "http://127.0.0.1:1", autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{}, 0, ldlog.NewDisabledLoggers())
		closes(t, m)
		closes(t, m)
	})
}

// copyFlushing passes each piece on at once, as a proxy for streams does.
func copyFlushing(w http.ResponseWriter, body io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := body.Read(buf)
		_, _ = w.Write(buf[:n])
		w.(http.Flusher).Flush()
		if err != nil {
			return
		}
	}
}

func certificatePEM(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// A service or a proxy may send a large event as one chunk. Nothing of a chunk is returned by a Read of the body before
// the buffer is full or the chunk is whole.
func TestRule16BytesOfAChunkUnderWayAreNoSilence(t *testing.T) {
	const timeout = 2 * time.Second
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			event := "event: put\ndata: {\"path\":\"/\"}\n\n"
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", len(event))
			for _, b := range []byte(event) {
				if _, err := conn.Write([]byte{b}); err != nil {
					break
				}
				time.Sleep(timeout / 20) // all of it takes longer than the timeout
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	m, recorder := follow(t, "http://"+listener.Addr().String(), config.ProxyConfig{}, autoconfig.WithReadTimeout(timeout))
	waitForAll(t, recorder)
	assert.EqualValues(t, 1, m.Status().Connections)
}
