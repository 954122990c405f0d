package hub_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

// ask sends a request over a connection of its own.
func (s *server) ask(t *testing.T, protocol, more string) net.Conn {
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(16<<10))
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(longest)))
	_, err = fmt.Fprintf(conn, "GET /relay_auto_config %s\r\nHost: hub\r\nAuthorization: %s\r\n%s\r\n", protocol, testKey, more)
	require.NoError(t, err)
	return conn
}

// TestARelayThatStallsInAnEvent gets the rest of the event, and all that follow, in order, with comments between events
// only. Its stream is whole at the end.
func TestARelayThatStallsInAnEvent(t *testing.T) {
	type row struct {
		encoding   string
		keepalives hub.Option // without them, the event that stalls is certainly the fan-out's
	}
	for name, row := range map[string]row{
		"plain":              {"identity", hub.WithKeepalive(time.Millisecond)},
		"without keepalives": {"identity", noKeepalives},
		"gzip":               {"gzip", hub.WithKeepalive(time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			encoding := row.encoding
			s := newServer(t, largeConfiguration(1<<10), row.keepalives)
			conn := s.ask(t, "HTTP/1.1", "Accept-Encoding: "+encoding+"\r\n")
			response, err := http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil)
			require.NoError(t, err)
			const events = 500 // more than all buffers hold
			send := func(version int) {
				change := largeConfiguration(1 << 10)[0]
				change.Version = version
				change.Text = []byte(strings.Replace(string(change.Text), `"version":1`, fmt.Sprintf(`"version":%d`, version), 1))
				s.Changes(false, changes{change})
			}
			current := func() bool { return s.Relays()[0].Current }
			eventually(t, current)
			for version := 2; version <= events; version++ {
				send(version)
				for range 50 { // one by one, until it stalls
					if current() {
						break
					}
					runtime.Gosched()
				}
			}
			require.False(t, current())
			body := io.Reader(response.Body)
			if encoding == "gzip" {
				body, err = gzip.NewReader(response.Body)
				require.NoError(t, err)
			}
			pass, passed := io.Pipe()
			decoder := eventsource.NewDecoder(pass)
			ended := make(chan error, 1)
			go func() {
				_, err := io.Copy(passed, body)
				_ = passed.Close()
				ended <- err
			}()
			for version := 1; version <= events; version++ {
				event, err := decoder.Decode()
				require.NoError(t, err)
				require.Contains(t, short(t, event), fmt.Sprintf("env-000000@%d", version))
			}
			go s.Close()
			event, err := decoder.Decode()
			require.NoError(t, err)
			assert.Equal(t, "reconnect", event.Event())
			_, err = decoder.Decode()
			assert.Error(t, err)
			assert.NoError(t, <-ended, "the chunks, and the checksum of gzip")
		})
	}
}

// counting is the ResponseWriter of middleware that sees all bytes.
type counting struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (c counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c counting) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

func TestMiddlewareSeesTheStream(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	var bytes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		s.ServeHTTP(counting{w, &bytes}, request)
	}))
	defer server.Close()
	defer s.Close()
	through := *s
	through.http = server
	relay := through.open(t, request{plain: true})
	relay.next()
	before := bytes.Load()
	assert.Positive(t, before)
	s.Changes(false, changes{env("a", 2)})
	assert.Equal(t, "patch a@2", short(t, relay.next()))
	assert.Greater(t, bytes.Load(), before)
}

// TestTheHeaderOfAStream looks for the fields of HTTP and of middleware.
func TestTheHeaderOfAStream(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		s.ServeHTTP(w, request)
	}))
	defer server.Close()
	defer s.Close()
	through := *s
	through.http = server
	header := through.open(t, request{}).header
	assert.Equal(t, "max-age=1", header.Get("Strict-Transport-Security"))
	assert.Equal(t, "text/event-stream", header.Get("Content-Type"))
	date, err := http.ParseTime(header.Get("Date"))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), date, time.Minute)
}

// TestHTTP10 knows no chunks.
func TestHTTP10(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	conn := s.ask(t, "HTTP/1.0", "")
	eventually(t, func() bool { return len(s.Relays()) == 1 && s.Relays()[0].Current })
	s.Changes(false, changes{env("a", 2)})
	eventually(t, func() bool { return s.Status().Counters.Events == 1 })
	go s.Close()
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(text), "\r\n\r\n")
	assert.True(t, strings.HasPrefix(body, "event: put\n"), body)
	assert.True(t, strings.HasSuffix(body, "event: reconnect\ndata: {}\n\n"), body)
	assert.NotContains(t, string(text), "chunked")
}

// TestARelayThatSendsMore than its request is served, and forgotten when it leaves.
func TestARelayThatSendsMore(t *testing.T) {
	for name, more := range map[string]string{"with the request": "\r\nmore", "later": ""} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1)}, hub.WithKeepalive(time.Millisecond))
			conn := s.ask(t, "HTTP/1.1", more)
			eventually(t, func() bool { return len(s.Relays()) == 1 && s.Relays()[0].Current })
			_, err := io.WriteString(conn, "and more")
			require.NoError(t, err)
			s.Changes(false, changes{env("a", 2)})
			lines := bufio.NewScanner(conn)
			for !strings.Contains(lines.Text(), `"version":2`) {
				require.True(t, lines.Scan())
			}
			require.NoError(t, conn.Close())
			eventually(t, func() bool { return len(s.Relays()) == 0 })
		})
	}
}

// TestARelayThatStallsInAnEventIsDropped when that takes longer than a write may.
func TestARelayThatStallsInAnEventIsDropped(t *testing.T) {
	s := newServer(t, changes{env("a", 1)}, hub.WithWriteTimeout(500*time.Millisecond), noKeepalives)
	s.ask(t, "HTTP/1.1", "")
	eventually(t, func() bool { return len(s.Relays()) == 1 && s.Relays()[0].Current })
	version := 1
	eventually(t, func() bool {
		version++
		s.Changes(false, changes{env("a", version)})
		return s.Status().Counters.DroppedSlow == 1
	})
	eventually(t, func() bool { return len(s.Relays()) == 0 })
}

// TestADeadlineOfAnEarlierWrite has passed when an event is written.
func TestADeadlineOfAnEarlierWrite(t *testing.T) {
	const timeout = 300 * time.Millisecond
	s := newServer(t, changes{env("a", 1)}, hub.WithWriteTimeout(timeout), noKeepalives)
	relay := s.open(t, request{})
	relay.next()
	<-time.After(timeout + timeout/10) // there is nothing else to see of it
	s.Changes(false, changes{env("a", 2)})
	assert.Equal(t, "patch a@2", short(t, relay.next()))
}
