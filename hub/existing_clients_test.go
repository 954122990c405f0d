package hub_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

// TestTheEventsourceClient is the client that existing relays use. It follows through patches, deletes, reconnects and a
// resume, with and without gzip.
func TestTheEventsourceClient(t *testing.T) {
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprintf("plain=%t", plain), func(t *testing.T) {
			s := newServer(t, changes{env("a", 1), env("b", 2)})
			req, err := http.NewRequest(http.MethodGet, s.http.URL+"/relay_auto_config", nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", testKey)
			var last atomic.Pointer[net.Conn]
			client := &http.Client{Transport: &http.Transport{DisableCompression: plain,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, address)
					last.Store(&conn)
					return conn, err
				}}}
			defer client.CloseIdleConnections()
			stream, err := eventsource.SubscribeWithRequestAndOptions(req,
				eventsource.StreamOptionHTTPClient(client),
				eventsource.StreamOptionInitialRetry(time.Millisecond),
				eventsource.StreamOptionReadTimeout(time.Minute),
				eventsource.StreamOptionErrorHandler(func(error) eventsource.StreamErrorHandlerResult {
					return eventsource.StreamErrorHandlerResult{}
				}))
			require.NoError(t, err)
			defer func() {
				stream.Close()
				for range stream.Events { // until its goroutines have ended: the hub's farewell would block them
				}
			}()
			next := func() string {
				select {
				case e := <-stream.Events:
					return short(t, e)
				case <-time.After(longest):
					t.Fatal("no event")
					return ""
				}
			}
			assert.Equal(t, "put a@1 b@2", next())
			assert.Equal(t, !plain, s.Relays()[0].Compressed)
			s.Changes(false, changes{env("a", 2)})
			assert.Equal(t, "patch a@2", next())
			s.Changes(false, changes{deleted("b", 3)})
			assert.Equal(t, "delete b@3", next())

			// Soon after an event: the client may have refused it, if the hub has noticed that it left.
			require.NoError(t, (*last.Load()).Close())
			assert.Contains(t, []string{"put a@2", "resumed"}, next())
			s.Changes(true, changes{env("c", 1)})
			assert.Equal(t, "patch c@1", next())

			// When the hub ends the stream, that says nothing about the event before.
			require.NoError(t, s.SetKeys([]hub.Key{{Name: "renamed", Key: testKey}}))
			assert.Equal(t, "resumed", next())
			s.Changes(false, changes{env("c", 2)})
			assert.Equal(t, "patch c@2", next())
		})
	}
}

// TestHTTP2 follows over HTTP/2, where a deadline that is over would end the stream though nothing is pending.
func TestHTTP2(t *testing.T) {
	s := newServer(t, changes{env("a", 1)}, hub.WithWriteTimeout(time.Second), hub.WithKeepalive(3*time.Second))
	server := httptest.NewUnstartedServer(s)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	defer s.Close()
	req, err := http.NewRequest(http.MethodGet, server.URL+"/relay_auto_config", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", testKey)
	response, err := server.Client().Do(req)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 2, response.ProtoMajor)
	lines := bufio.NewReader(response.Body)
	for comments := 0; comments < 2; {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if line == ":\n" {
			comments++
		}
	}
	require.NoError(t, s.SetKeys(nil))
	_, err = io.ReadAll(lines)
	assert.NoError(t, err, "a revoked key ends the stream in order; the refusal comes with the next request")
}

// TestARevokedKeyEndsAnIdleStreamInOrder has a checksum over the whole stream, if it is compressed.
func TestARevokedKeyEndsAnIdleStreamInOrder(t *testing.T) {
	for _, plain := range []bool{true, false} {
		s := newServer(t, changes{env("a", 1)})
		response, cancel := s.get(t, request{plain: plain})
		defer cancel()
		defer response.Body.Close()
		eventually(t, func() bool { return len(s.Relays()) == 1 && s.Relays()[0].Current })
		require.NoError(t, s.SetKeys(nil))
		s.Changes(false, changes{env("a", 2)})
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err, "plain: %v", plain)
		assert.Equal(t, 1, strings.Count(string(text), "event: "))
	}
}

// revoking is a ResponseWriter that revokes all keys when its header is first made.
type revoking struct {
	*httptest.ResponseRecorder
	revoke func()
}

func (r revoking) Header() http.Header {
	r.revoke()
	return r.ResponseRecorder.Header()
}

// TestAKeyThatIsRevokedBeforeItsStreamBegins leaves a stream that is empty, and whole.
func TestAKeyThatIsRevokedBeforeItsStreamBegins(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		t.Run(encoding, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1)})
			w := revoking{httptest.NewRecorder(), sync.OnceFunc(func() { assert.NoError(t, s.SetKeys(nil)) })}
			request := httptest.NewRequest(http.MethodGet, "/relay_auto_config", nil)
			request.Header.Set("Authorization", testKey)
			request.Header.Set("Accept-Encoding", encoding)
			s.ServeHTTP(w, request)
			assert.Equal(t, uint64(1), s.Status().Counters.Revoked)
			body := io.Reader(w.Body)
			if encoding == "gzip" {
				var err error
				body, err = gzip.NewReader(w.Body)
				require.NoError(t, err)
			}
			text, err := io.ReadAll(body)
			require.NoError(t, err)
			assert.Empty(t, text)
		})
	}
}

// TestAnOrderlyEnd has a checksum over the whole stream, if it is compressed.
func TestAnOrderlyEnd(t *testing.T) {
	for _, plain := range []bool{true, false} {
		s := newServer(t, changes{env("a", 1)})
		response, cancel := s.get(t, request{plain: plain})
		defer cancel()
		defer response.Body.Close()
		eventually(t, func() bool { return s.Status().Counters.Puts == 1 })
		s.Changes(false, changes{env("a", 2), deleted("a", 3)})
		eventually(t, func() bool { return s.Status().Counters.Events == 2 })
		s.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err, "the checksum is right")
		assert.Contains(t, string(text), "event: delete")
		assert.True(t, strings.HasSuffix(string(text), "event: reconnect\ndata: {}\n\n"), "the farewell has no id")
	}
}
