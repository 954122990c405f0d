package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
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

// longest is the time limit of a test's waits.
const longest = time.Minute

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

// serve serves a hub over connections with small buffers, so that a relay which does not read is noticed soon.
func serve(t *testing.T, h *hub.Hub) *server {
	s := &server{Hub: h, http: httptest.NewUnstartedServer(h)}
	s.http.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10)
		return ctx
	}
	s.http.Start()
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

type versioned struct{ Version int }

func versions(items map[string]versioned) (all []string) {
	for _, id := range slices.Sorted(maps.Keys(items)) {
		all = append(all, fmt.Sprintf("%s@%d", id, items[id].Version))
	}
	return all
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
		return strings.Join(slices.Concat([]string{"put"}, versions(content.Environments), versions(content.Filters)), " ")
	case e.Event() == "delete":
		return fmt.Sprintf("delete %s@%d", id, data.Version)
	case strings.HasPrefix(data.Path, "/relayconf/"):
		return id
	}
	var v versioned
	require.NoError(t, json.Unmarshal(data.Data, &v))
	return fmt.Sprintf("%s %s@%d", e.Event(), id, v.Version)
}

// dialSmall asks for a plain stream over a connection with a small buffer, and reads nothing.
func (s *server) dialSmall(t *testing.T, id string) net.Conn {
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(16<<10))
	_, err = fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\nLast-Event-ID: %s\r\n\r\n", testKey, id)
	require.NoError(t, err)
	return conn
}

// largeConfiguration has about so many bytes, in environments of a kilobyte that don't compress well.
func largeConfiguration(size int) changes {
	random := rand.NewChaCha8([32]byte{1})
	var all changes
	for i := range size >> 10 {
		filling := make([]byte, 480)
		_, _ = random.Read(filling)
		change := env(fmt.Sprintf("env-%06d", i), 1)
		change.Text = json.RawMessage(fmt.Sprintf(`{"envID":%q,"projKey":"web","version":1,"filling":"%x"}`, change.ID, filling))
		all = append(all, change)
	}
	return all
}

// eventually waits until something is so that nothing tells of.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	require.Eventually(t, so, longest, 5*time.Millisecond)
}
