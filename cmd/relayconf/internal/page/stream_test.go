package page

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

// events reads a stream of events.
type events struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Scanner
}

func (s *site) events(t *testing.T) *events {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"page/events", nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	in := bufio.NewScanner(response.Body)
	in.Buffer(nil, 1<<20)
	return &events{t, response.Body, in}
}

// next returns the next event.
func (e *events) next() (name, data string) {
	e.t.Helper()
	for e.in.Scan() {
		line := e.in.Text()
		if value, ok := strings.CutPrefix(line, "event: "); ok {
			name = value
		} else if value, ok := strings.CutPrefix(line, "data: "); ok {
			data = value
		} else if line == "" && name != "" {
			return name, data
		}
	}
	require.NoError(e.t, e.in.Err())
	return "", "" // the end
}

// update returns the next update. Those that say nothing but the time are left out.
func (e *events) update() (u update) {
	e.t.Helper()
	for u.empty() {
		name, data := e.next()
		require.Equal(e.t, "update", name)
		u = update{}
		require.NoError(e.t, json.Unmarshal([]byte(data), &u))
	}
	return u
}

func TestAStreamBringsEverythingInPiecesAndThenTheChanges(t *testing.T) {
	hub := newHub()
	var relays []Relay
	for i := range 3 * chunk {
		relays = append(relays, Relay{ID: fmt.Sprint(i), Name: fmt.Sprintf("eu-%04d", i), Sync: InSync})
	}
	hub.setRelays(relays...)
	s := serve(t, hub, "127.0.0.1:0")
	var changes []autoconfig.Change
	for i := range 2*chunk + 1 {
		changes = append(changes, environmentText(fmt.Sprintf("e%04d", i), fmt.Sprintf("env%04d", 5000-i), 1, ""))
	}
	s.Changes(true, changes)
	e := s.events(t)
	name, data := e.next()
	assert.Equal(t, "begin", name)
	assert.JSONEq(t, `{"build":"`+build+`","version":"1.2.3","name":"hub-1"}`, data)
	var all update
	for {
		name, data := e.next()
		if name == "ready" {
			break
		}
		var u update
		require.NoError(t, json.Unmarshal([]byte(data), &u))
		assert.LessOrEqual(t, max(len(u.Environments), len(u.Relays)), chunk)
		all.Environments, all.Relays = append(all.Environments, u.Environments...), append(all.Relays, u.Relays...)
	}
	assert.Len(t, all.Relays, 3*chunk)
	require.Len(t, all.Environments, 2*chunk+1)
	assert.Equal(t, []string{"e0500", "e0000"}, []string{all.Environments[0].ID, all.Environments[500].ID}, "sorted by their keys")
	assert.Equal(t, []string{"eu-0000", "eu-0749"}, []string{all.Relays[0].Name, all.Relays[3*chunk-1].Name}, "sorted")
	s.Changes(false, []autoconfig.Change{environmentText("e0000", "test", 2, "")})
	u := e.update()
	require.Len(t, u.Environments, 1)
	assert.Equal(t, "test", u.Environments[0].EnvKey)
	assert.Equal(t, 2, u.Environments[0].Version)
	require.Len(t, u.Log, 1)
	assert.Equal(t, kindUpdated, u.Log[0].Kind)
}

func TestCloseEndsTheStreams(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	e := s.events(t)
	s.Close()
	for {
		if name, _ := e.next(); name == "" {
			break
		}
	}
	s.Close()
	response := httptest.NewRecorder()
	s.server.Handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/page/events", nil))
	assert.Equal(t, http.StatusServiceUnavailable, response.Code)
}

func TestAPageThatIsTooSlowIsDropped(t *testing.T) {
	p := New(Options{Hub: newHub()})
	defer p.Close()
	r, _ := p.open()
	for i := range maxPending + 1 {
		p.Changes(false, []autoconfig.Change{environmentText("e1", "production", i+1, "")})
	}
	n := 0
	for range r.frames {
		n++
	}
	assert.Equal(t, maxPending, n, "memory does not grow")
	p.leave(r)
}

func TestThePageAllowsNothingFromElsewhere(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	for path, kind := range map[string]string{"/": "text/html", "/page/main.js": "text/javascript", "/page/page.css": "text/css",
		"/page/icon.svg": "image/svg+xml", "/page/lit/directives/repeat.js": "text/javascript", "/page/lit/LICENSE": "text/plain"} {
		response := httptest.NewRecorder()
		s.server.Handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, path, nil))
		assert.Equal(t, http.StatusOK, response.Code, path)
		assert.Contains(t, response.Header().Get("Content-Type"), kind, path)
		policy := response.Header().Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'", path)
		assert.NotContains(t, policy, "unsafe", path)
		assert.Equal(t, "nosniff", response.Header().Get("X-Content-Type-Options"), path)
	}
	for _, path := range []string{"/other", "/page/missing.js"} {
		response := httptest.NewRecorder()
		s.server.Handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, path, nil))
		assert.Equal(t, http.StatusNotFound, response.Code, path)
	}
}

func TestUpdatesAreSplit(t *testing.T) {
	u := update{Upstream: &Upstream{}, GoneRelays: make([]string, chunk+1), Log: make([]entry, 1)}
	pieces := u.split()
	require.Len(t, pieces, 2)
	assert.NotNil(t, pieces[0].Upstream)
	assert.Nil(t, pieces[1].Upstream)
	assert.Len(t, pieces[0].GoneRelays, chunk)
	assert.Len(t, pieces[1].GoneRelays, 1)
	assert.Empty(t, pieces[1].Log)
	assert.Len(t, update{Now: At(time.Unix(1, 0))}.split(), 1)
}
