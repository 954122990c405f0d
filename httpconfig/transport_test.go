package httpconfig

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/config"
)

func TestPrivateCAIsTrustedInAdditionToTheSystems(t *testing.T) {
	ca := newPrivateCA(t)
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			server := newTLSServer(t, ca, http2, func(http.ResponseWriter, *http.Request) {})
			resp, err := get(t, newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client(), server.URL)
			require.NoError(t, err)
			assert.Equal(t, protocol, resp.Proto)

			_, err = get(t, newConfig(t, config.ProxyConfig{}).Client(), server.URL)
			assert.ErrorContains(t, err, "certificate signed by unknown authority")
		})
	}
}

func TestTLSIsAtLeast12(t *testing.T) {
	ca := newPrivateCA(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = newDefaultTLSConfig()
	server.TLS.MinVersion, server.TLS.MaxVersion = 0x0302, 0x0302 // TLS 1.1
	server.TLS.Certificates = append(server.TLS.Certificates, ca.server)
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	t.Cleanup(server.Close)
	_, err := get(t, newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client(), server.URL)
	assert.ErrorContains(t, err, "protocol version")
	assert.EqualValues(t, 0x0303, newDefaultTLSConfig().MinVersion)
}

func TestResponsesAreNotCompressed(t *testing.T) {
	var encoding atomic.Value
	server := newServer(t, func(_ http.ResponseWriter, r *http.Request) { encoding.Store(r.Header.Get("Accept-Encoding")) })
	_, err := get(t, newConfig(t, config.ProxyConfig{}).Client(), server.URL)
	require.NoError(t, err)
	assert.Empty(t, encoding.Load())
}

func TestEndOfAStreamLeavesNothingBehind(t *testing.T) {
	ca := newPrivateCA(t)
	for protocol, http2 := range protocols {
		for name, end := range map[string]func(context.CancelFunc, io.Closer){
			"close":            func(_ context.CancelFunc, body io.Closer) { _ = body.Close() },
			"cancel":           func(cancel context.CancelFunc, _ io.Closer) { cancel() },
			"cancel and close": func(cancel context.CancelFunc, body io.Closer) { cancel(); _ = body.Close() },
			"close and cancel": func(cancel context.CancelFunc, body io.Closer) { _ = body.Close(); cancel() },
		} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				server := newTLSServer(t, ca, http2, stream)
				client := newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client()
				before := goleak.IgnoreCurrent()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				require.NoError(t, err)
				resp, err := client.Do(req)
				require.NoError(t, err)
				require.Equal(t, protocol, resp.Proto)
				line, err := bufio.NewReader(resp.Body).ReadString('\n')
				require.NoError(t, err)
				require.Equal(t, "first\n", line)

				end(cancel, resp.Body)
				requireNoGoroutine(t, before)
			})
		}
	}
}

func TestClosingTheBodyEndsTheContextOfTheRequest(t *testing.T) {
	var inner context.Context // a child of the caller's, which would keep it for as long as it lives
	client := newConfig(t, config.ProxyConfig{}).Client()
	client.Transport.(*roundTripper).next.Proxy = func(req *http.Request) (*url.URL, error) {
		inner = req.Context()
		return nil, nil
	}
	resp, err := get(t, client, newServer(t, stream).URL)
	require.NoError(t, err)
	require.NoError(t, inner.Err())
	require.NoError(t, resp.Body.Close())
	assert.ErrorIs(t, inner.Err(), context.Canceled)
}

func TestCancellingEndsEachPhaseAtOnce(t *testing.T) {
	silent := newSilentListener(t)
	server := newServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, c := range map[string]struct {
		target string
		proxy  config.ProxyConfig
	}{
		"TLS handshake":   {target: "https://" + silent},
		"response header": {target: server.URL},
		"CONNECT":         {target: "https://relay.test", proxy: config.ProxyConfig{URL: mustParse(t, "http://"+silent)}},
		"SOCKS":           {target: "http://relay.test", proxy: config.ProxyConfig{URL: mustParse(t, "socks5://"+silent)}},
	} {
		t.Run(name, func(t *testing.T) {
			client := newConfig(t, c.proxy).Client()
			before := goleak.IgnoreCurrent()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.target, nil)
			require.NoError(t, err)
			_, err = client.Do(req)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			requireNoGoroutine(t, before)
		})
	}
}

// requireNoGoroutine waits until there are no others than before. goleak alone waits for half a second.
func requireNoGoroutine(t *testing.T, before goleak.Option) {
	t.Helper()
	left := goleak.Find(before)
	for began := time.Now(); left != nil && time.Since(began) < deadline; {
		left = goleak.Find(before)
	}
	require.NoError(t, left)
}

func TestEachStreamHasItsOwnConnection(t *testing.T) {
	ca := newPrivateCA(t)
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			var mu sync.Mutex
			remotes := map[string]bool{}
			server := newTLSServer(t, ca, http2, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				remotes[r.RemoteAddr] = true
				mu.Unlock()
				stream(w, r)
			})
			client := newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client()
			for range 2 { // at the same time
				_, err := get(t, client, server.URL)
				require.NoError(t, err)
			}
			resp, err := get(t, client, server.URL)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			_, err = get(t, client, server.URL) // after the end of the last one
			require.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			assert.Len(t, remotes, 4)
		})
	}
}

func TestHTTP2PingFindsADeadLine(t *testing.T) {
	ca := newPrivateCA(t)
	server := newTLSServer(t, ca, true, stream)
	line := newLine(t, server.Listener.Addr().String())
	client := newLimitedConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}, func(l *limits) {
		l.pingAfter, l.pingTimeout = 50*time.Millisecond, 50*time.Millisecond
	}).Client()
	var resp *http.Response
	require.Eventually(t, func() bool { // a slow machine may take longer than a ping may
		var err error
		resp, err = get(t, client, "https://"+line.addr)
		return err == nil
	}, deadline, time.Millisecond)
	line.cut.Store(true)
	_, err := io.Copy(io.Discard, resp.Body)
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "the end of the test's patience")
}

func TestHTTP2PingKeepsAQuietLine(t *testing.T) {
	ca := newPrivateCA(t)
	speak := make(chan struct{})
	server := newTLSServer(t, ca, true, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-speak
		_, _ = w.Write([]byte("at last"))
	})
	line := newLine(t, server.Listener.Addr().String())
	client := newLimitedConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}, func(l *limits) {
		l.pingAfter, l.pingTimeout = time.Millisecond, deadline
	}).Client()
	resp, err := get(t, client, "https://"+line.addr)
	require.NoError(t, err)
	before := line.sent.Load()
	assert.Eventually(t, func() bool { return line.sent.Load() >= before+10 }, deadline, time.Millisecond)
	close(speak)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "at last", string(text))
}

func TestLimits(t *testing.T) {
	ca := newPrivateCA(t)
	trusted := config.ProxyConfig{CACertFiles: []string{ca.file}}
	silent := newSilentListener(t)
	never := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	large := func(w http.ResponseWriter, _ *http.Request) { // 100 KiB
		w.Header()["X-Large"] = slices.Repeat([]string{strings.Repeat("x", 1<<10)}, 100)
	}
	const short = 200 * time.Millisecond // enough to reach the other side
	for _, c := range []struct {
		name, target, want string
		proxy              config.ProxyConfig
		change             func(*limits)
		timeout            bool
	}{
		{"TLS handshake", "https://" + silent, "TLS handshake timeout", trusted,
			func(l *limits) { l.tlsHandshake = short }, true},
		{"time of the header, HTTP/1.1", newServer(t, never).URL, "timeout awaiting response headers", trusted,
			func(l *limits) { l.responseHeader = short }, true},
		{"time of the header, HTTP/2", newTLSServer(t, ca, true, never).URL, "timeout awaiting response headers", trusted,
			func(l *limits) { l.responseHeader = short }, true},
		{"size of the header, HTTP/1.1", newTLSServer(t, ca, false, large).URL, "headers exceeded 65536 bytes", trusted,
			func(*limits) {}, false},
		{"size of the header, HTTP/2", newTLSServer(t, ca, true, large).URL, "header list larger than", trusted,
			func(*limits) {}, false},
		{"SOCKS proxy", "http://relay.test", "no response from relay.test within 200ms",
			config.ProxyConfig{URL: mustParse(t, "socks5://"+silent)}, func(l *limits) { l.attempt = short }, true},
		{"CONNECT proxy", "https://relay.test", "no response from relay.test within 200ms",
			config.ProxyConfig{URL: mustParse(t, "http://"+silent)}, func(l *limits) { l.attempt = short }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := get(t, newLimitedConfig(t, c.proxy, c.change).Client(), c.target)
			require.ErrorContains(t, err, c.want)
			var netErr net.Error
			require.ErrorAs(t, err, &netErr)
			assert.Equal(t, c.timeout, netErr.Timeout())
		})
	}
}

func TestNoLimitAppliesToAStreamThatHasBegun(t *testing.T) {
	const short = 100 * time.Millisecond
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-time.After(3 * short)
		_, _ = w.Write([]byte("still there"))
	})
	client := newLimitedConfig(t, config.ProxyConfig{}, func(l *limits) { l.responseHeader, l.attempt = short, short }).Client()
	var resp *http.Response
	require.Eventually(t, func() bool { // a slow machine may take longer to begin
		var err error
		resp, err = get(t, client, server.URL)
		return err == nil
	}, deadline, time.Millisecond)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "still there", string(text))
}
