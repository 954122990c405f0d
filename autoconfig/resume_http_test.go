package autoconfig_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
)

// resuming is a service over real HTTP that compresses its streams and resumes those with an id that it knows.
type resuming struct {
	events   chan string // to the connection that is up, one flush each; empty: end it
	mu       sync.Mutex
	ids      []string // of the requests
	known    string
	protocol string
}

func (s *resuming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Last-Event-ID")
	s.mu.Lock()
	s.ids, s.protocol = append(s.ids, id), r.Proto
	resumes := id != "" && id == s.known
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Content-Encoding", "gzip")
	if resumes {
		w.Header().Set("Relayconf-Resumed", "true")
	}
	out := gzip.NewWriter(w)
	send := func(text string) {
		_, _ = io.WriteString(out, text)
		_ = out.Flush()
		_ = http.NewResponseController(w).Flush()
	}
	send(":\n")
	for {
		select {
		case text := <-s.events:
			if text == "" {
				_ = out.Close()
				return
			}
			send(text)
		case <-r.Context().Done():
			return
		}
	}
}

func (s *resuming) requestIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ids...)
}

func TestResumeOverRealHTTPCompressed(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			service := &resuming{events: make(chan string)}
			server := httptest.NewUnstartedServer(service)
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			t.Cleanup(server.Close)
			m, recorder := follow(t, server.URL, config.ProxyConfig{}, autoconfig.WithHTTPClient(server.Client()))
			t.Cleanup(m.Close) // before the server is closed, which waits for its connections

			service.events <- "event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{\"a\":{\"envID\":\"a\",\"sdkKey\":{\"value\":\"sdk-a\"},\"version\":1}}}}\n\n"
			waitForAll(t, recorder)
			for version := 2; version < 5; version++ { // each is handled before the next is sent
				service.events <- "event: patch\ndata: {\"path\":\"/environments/a\",\"data\":{\"envID\":\"a\",\"sdkKey\":{\"value\":\"sdk-a\"},\"version\":" + string(rune('0'+version)) + "}}\n\n"
				recorder.WaitForKind(t, deadline, autoconfigtest.UpdateEnvironment)
			}
			status := m.Status()
			assert.True(t, status.Compressed)
			assert.False(t, status.Resumed)
			service.mu.Lock()
			service.known = status.Digest
			service.mu.Unlock()

			service.events <- ""
			service.events <- "event: patch\ndata: {\"path\":\"/relayconf/resumed\",\"data\":{}}\n\n"
			require.Eventually(t, func() bool { return m.Status().Resumed && m.Status().State == autoconfig.StateValid }, deadline, time.Millisecond)
			assert.Equal(t, []string{"", status.Digest}, service.requestIDs())
			assert.Equal(t, protocol, service.protocol)
			assert.Equal(t, autoconfig.SourceStream, m.Status().Source)
			puts := 0
			for _, call := range recorder.Calls() {
				if call.Kind == autoconfigtest.ReceivedAllEnvironments {
					puts++
				}
			}
			assert.Equal(t, 1, puts, "a resumed stream has no put")
		})
	}
}
