package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

const testKey = "rel-00000000-0000-4000-8000-000000000001"

// longest is how long a test waits for what must come.
const longest = 20 * time.Second

// env is a change of an environment in project web.
func env(id string, version int) autoconfig.Change { return envIn("web", "production", id, version) }

func envIn(project, environment, id string, version int) autoconfig.Change {
	text := fmt.Sprintf(`{"envID":%q,"projKey":%q,"envKey":%q,"unknown":[1, 2],"version":%d}`, id, project, environment, version)
	return autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: version, Text: json.RawMessage(text)}
}

func removed(id string) autoconfig.Change {
	return autoconfig.Change{Kind: autoconfig.EnvironmentRemoved, ID: id}
}

func deleted(id string, version int) autoconfig.Change {
	return autoconfig.Change{Kind: autoconfig.EnvironmentDeleted, ID: id, Version: version}
}

func filterChange(project, key string, version int) autoconfig.Change {
	text := fmt.Sprintf(`{"projKey":%q,"key":%q,"version":%d}`, project, key, version)
	return autoconfig.Change{Kind: autoconfig.FilterChanged, ID: project + "." + key, Version: version, Text: json.RawMessage(text)}
}

// server is a hub on a real socket.
type server struct {
	*hub.Hub
	http *httptest.Server
}

// newServer serves a hub that has a confirmed configuration and one key that sees everything.
func newServer(t *testing.T, changes []autoconfig.Change, options ...hub.Option) *server {
	h := hub.New(options...)
	h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	require.NoError(t, h.SetKeys([]hub.Key{{Name: "all", Key: testKey}}))
	if changes != nil {
		h.Changes(true, changes)
	}
	return serve(t, h)
}

func serve(t *testing.T, h *hub.Hub) *server {
	s := &server{Hub: h, http: httptest.NewServer(h)}
	t.Cleanup(func() {
		h.Close()
		s.http.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

// request is how a test asks for a stream.
type request struct {
	key     string // testKey if empty
	id      string
	plain   bool
	filters bool
}

// stream is an open stream.
type stream struct {
	t       *testing.T
	header  http.Header
	body    io.Closer
	decoder *eventsource.Decoder
	cancel  context.CancelFunc
	over    bool // the decoder has returned an error
}

func (s *server) get(t *testing.T, r request) (*http.Response, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	uri := s.http.URL + "/relay_auto_config"
	if r.filters {
		uri += "?rpacProtocolVersion=2"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	require.NoError(t, err)
	if r.key == "" {
		r.key = testKey
	}
	req.Header.Set("Authorization", r.key)
	if r.id != "" {
		req.Header.Set("Last-Event-ID", r.id)
	}
	if r.plain {
		req.Header.Set("Accept-Encoding", "identity")
	}
	response, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	return response, cancel
}

// open opens a stream, which must succeed.
func (s *server) open(t *testing.T, r request) *stream {
	response, cancel := s.get(t, r)
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		cancel()
		t.Fatalf("status %d: %s", response.StatusCode, body)
	}
	require.Equal(t, !r.plain, response.Uncompressed)
	st := &stream{t: t, header: response.Header, body: response.Body, cancel: cancel,
		decoder: eventsource.NewDecoder(response.Body)}
	t.Cleanup(st.close)
	return st
}

// close closes the connection, and reads on until the decoder has noticed, as its goroutine would stay otherwise.
func (s *stream) close() {
	s.cancel()
	for !s.over {
		_, err := s.decoder.Decode()
		s.over = err != nil
	}
	_ = s.body.Close()
}

// refused asks for a stream, and returns status and text of the refusal.
func (s *server) refused(t *testing.T, r request) (*http.Response, string) {
	response, cancel := s.get(t, r)
	defer cancel()
	defer response.Body.Close()
	require.NotEqual(t, http.StatusOK, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

// next returns the next event.
func (s *stream) next() eventsource.Event {
	s.t.Helper()
	timer := time.AfterFunc(longest, s.cancel)
	defer timer.Stop()
	e, err := s.decoder.Decode()
	s.over = err != nil
	require.NoError(s.t, err)
	return e
}

// ended reads to the end of the stream, and fails if there is another event.
func (s *stream) ended() error {
	s.t.Helper()
	timer := time.AfterFunc(longest, s.cancel)
	defer timer.Stop()
	e, err := s.decoder.Decode()
	s.over = err != nil
	if err == nil {
		s.t.Fatalf("another event: %s %s", e.Event(), e.Data())
	}
	require.True(s.t, timer.Stop(), "the stream did not end")
	return err
}

// put reads a put.
func (s *stream) put() string {
	s.t.Helper()
	line := short(s.t, s.next())
	require.True(s.t, strings.HasPrefix(line, "put"), line)
	return line
}

type versioned struct{ Version int }

func versionsLine(items map[string]versioned) string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(items)) {
		all = append(all, fmt.Sprintf("%s@%d", id, items[id].Version))
	}
	return strings.Join(all, " ")
}

// short describes an event in a line, such as "put a@1 b@2", "patch a@2" or "delete a@3".
func short(t *testing.T, e eventsource.Event) string {
	t.Helper()
	var data struct {
		Path    string
		Version int
		Data    json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(e.Data()), &data))
	id := data.Path[strings.LastIndex(data.Path, "/")+1:]
	switch {
	case e.Event() == "put":
		var content struct{ Environments, Filters map[string]versioned }
		require.NoError(t, json.Unmarshal(data.Data, &content))
		return strings.TrimSpace("put " + versionsLine(content.Environments) + " " + versionsLine(content.Filters))
	case e.Event() == "delete":
		return fmt.Sprintf("delete %s@%d", id, data.Version)
	case strings.HasPrefix(data.Path, "/relayconf/"):
		return id
	}
	var v versioned
	require.NoError(t, json.Unmarshal(data.Data, &v))
	return fmt.Sprintf("%s %s@%d", e.Event(), id, v.Version)
}
