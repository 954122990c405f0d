package listen

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// After a refusal, net/http lingers for half a second by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const soon = 60 * time.Second

// serve serves a handler that answers at once, but holds a request for /hold until it is let go.
func serve(t *testing.T, options Options) (s *Server, letGo func()) {
	t.Helper()
	hold := make(chan struct{})
	options.Name, options.Address, options.Logger = "test", "127.0.0.1:0", slog.New(slog.DiscardHandler)
	options.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-hold
		}
	})
	s, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
	})
	letGo = sync.OnceFunc(func() { close(hold) })
	t.Cleanup(letGo)
	return s, letGo
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
	return conn
}

// ask sends a request and returns the status line, or nothing if the connection was closed.
func ask(conn net.Conn, path string) string {
	_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

const ok = "HTTP/1.1 200 OK"

func TestConnectionsThatNeverSendARequestShutOutNobody(t *testing.T) {
	s, _ := serve(t, Options{MaxConnections: 100})
	for range 1000 {
		dial(t, s)
	}
	for range 10 {
		assert.Equal(t, ok, ask(dial(t, s), "/"))
	}
	open, refused := s.Connections()
	assert.LessOrEqual(t, open, 100)
	assert.GreaterOrEqual(t, refused, uint64(900))
}

func TestAtTheLimitBusyConnectionsStay(t *testing.T) {
	s, letGo := serve(t, Options{MaxConnections: 3})
	for range 2 {
		conn := dial(t, s)
		require.Equal(t, ok, ask(conn, "/hold"))
	}
	idle := dial(t, s)
	require.Equal(t, ok, ask(idle, "/"))
	require.Eventually(t, func() bool { // the server sees that after its answer
		s.limit.mu.Lock()
		defer s.limit.mu.Unlock()
		return s.limit.idle.Len() == 1
	}, soon, time.Millisecond)
	third := dial(t, s)
	require.Equal(t, ok, ask(third, "/hold"), "it took the place of the idle connection")
	assert.Empty(t, ask(idle, "/"))
	assert.Empty(t, ask(dial(t, s), "/"), "all are busy")

	require.NoError(t, third.Close())
	letGo() // the server only sees that a busy connection was closed when its request ends
	require.Eventually(t, func() bool {
		open, _ := s.Connections()
		return open < 3
	}, soon, time.Millisecond)
	assert.Equal(t, ok, ask(dial(t, s), "/"))
}

func TestConnectionsWithSlowHeadersAreClosed(t *testing.T) {
	s, _ := serve(t, Options{HeaderTimeout: 50 * time.Millisecond})
	silent, slow := dial(t, s), dial(t, s)
	_, _ = io.WriteString(slow, "GET / HTTP/1.1\r\nHost:")
	for _, conn := range []net.Conn{silent, slow} {
		_, err := io.ReadAll(conn) // it fails if the header came after the end
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "closed by the server")
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	s, _ := serve(t, Options{})
	conn := dial(t, s)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", maxHeaderBytes+4096))
	require.NoError(t, err)
	line, _ := bufio.NewReader(conn).ReadString('\n')
	assert.Equal(t, "HTTP/1.1 431 Request Header Fields Too Large", strings.TrimSpace(line))
	assert.Equal(t, ok, ask(dial(t, s), "/"))
}

func TestAnAddressInUseIsReported(t *testing.T) {
	s, _ := serve(t, Options{})
	_, err := Start(t.Context(), Options{Name: "relay", Address: strings.TrimPrefix(s.URL(), "http://"), Logger: slog.New(slog.DiscardHandler)})
	assert.ErrorContains(t, err, "the relay listener can't be opened")
}
