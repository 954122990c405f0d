package wsmux_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/link/wsmux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is how long a test waits for something that takes milliseconds, before it fails.
const soon = time.Minute

// sockets makes both ends of a WebSocket over loopback. They are closed with the test.
func sockets(t testing.TB) (dialled, accepted *websocket.Conn) {
	t.Helper()
	return socketsThrough(t, websocket.Upgrader{}, websocket.Dialer{}, func(url string) string { return url })
}

// socketsThrough is sockets with settings of both ends, by way of an address that leads to the server's.
func socketsThrough(t testing.TB, upgrader websocket.Upgrader, dialer websocket.Dialer,
	way func(url string) string) (dialled, accepted *websocket.Conn) {
	t.Helper()
	conns := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			conns <- conn
		}
	}))
	t.Cleanup(server.Close)
	dialled, _, err := dialer.Dial(strings.Replace(way(server.URL), "http", "ws", 1), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = dialled.Close() })
	select {
	case accepted = <-conns:
	case <-time.After(soon):
		t.Fatal("the server got no WebSocket")
	}
	t.Cleanup(func() { _ = accepted.Close() })
	return dialled, accepted
}

// eachEnd runs a test with a net.Conn at the end that dialled, and with one at the end that accepted. Frames of the two
// differ. The other end is left as it is.
func eachEnd(t *testing.T, test func(t *testing.T, conn net.Conn, other *websocket.Conn)) {
	t.Run("dialled", func(t *testing.T) {
		dialled, accepted := sockets(t)
		conn := wrap(t, dialled)
		t.Cleanup(func() { _ = accepted.Close() }) // first, since conn would wait for its answer
		test(t, conn, accepted)
	})
	t.Run("accepted", func(t *testing.T) {
		dialled, accepted := sockets(t)
		conn := wrap(t, accepted)
		t.Cleanup(func() { _ = dialled.Close() })
		test(t, conn, dialled)
	})
}

// wrap makes a net.Conn that ends with the test. A call that blocks by mistake ends too, if it has no deadline of its own.
func wrap(t testing.TB, ws *websocket.Conn) net.Conn {
	conn := wsmux.WrapConn(ws)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
	return conn
}

// pair makes both ends net.Conns.
func pair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	dialled, accepted := sockets(t)
	return wrap(t, dialled), wrap(t, accepted)
}

// readFull reads n bytes.
func readFull(t testing.TB, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	require.NoError(t, err)
	return string(b)
}

// inBackground runs a call in a goroutine and returns where its result comes.
func inBackground[T any](call func() T) <-chan T {
	result := make(chan T, 1)
	go func() { result <- call() }()
	return result
}

// get waits for a result.
func get[T any](t testing.TB, results <-chan T) T {
	t.Helper()
	select {
	case result := <-results:
		return result
	case <-time.After(soon):
		t.Fatal("it hangs")
		panic("unreachable")
	}
}
