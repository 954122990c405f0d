package httpconfig

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// newSilentListener accepts connections and says nothing on them. It returns its address.
func newSilentListener(t *testing.T) string {
	t.Helper()
	return serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

// serve accepts connections on loopback until the end of the test, closes them, and waits for their handlers. It
// returns its address.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, listener, handle)
	return listener.Addr().String()
}

func serveOn(t *testing.T, listener net.Listener, handle func(net.Conn)) {
	var mu sync.Mutex
	var conns []net.Conn
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			handlers.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		handlers.Wait()
	})
}

// line carries bytes between a client and a server until it is cut: then it swallows them, and both ends stay open.
type line struct {
	addr string
	cut  atomic.Bool
	sent atomic.Int64 // writes by the client
}

func newLine(t *testing.T, server string) *line {
	l := &line{}
	l.addr = serve(t, func(client net.Conn) {
		conn, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		var back sync.WaitGroup
		back.Go(func() { l.carry(client, conn, nil) })
		l.carry(conn, client, &l.sent)
		_ = conn.Close()
		back.Wait()
	})
	return l
}

func (l *line) carry(to, from net.Conn, writes *atomic.Int64) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if writes != nil {
			writes.Add(1)
		}
		if !l.cut.Load() {
			_, _ = to.Write(buffer[:n])
		}
	}
}
