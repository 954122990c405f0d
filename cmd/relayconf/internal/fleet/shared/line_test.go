//go:build servers

package shared

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// line forwards connections to a target. It can be slow, lead elsewhere, and be cut.
type line struct {
	listener net.Listener
	target   atomic.Pointer[string]
	delay    atomic.Int64 // nanoseconds for each piece, both ways
	serving  sync.WaitGroup

	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

func newLine(t *testing.T, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &line{listener: listener, conns: map[net.Conn]bool{}}
	l.target.Store(&target)
	l.serving.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		l.serving.Wait()
	})
	return l
}

func (l *line) addr() string { return l.listener.Addr().String() }

func (l *line) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", *l.target.Load())
		l.mu.Lock()
		if err != nil || l.down {
			_ = from.Close()
			if err == nil {
				_ = to.Close()
			}
			l.mu.Unlock()
			continue
		}
		l.conns[from], l.conns[to] = true, true
		l.mu.Unlock()
		l.serving.Go(func() { l.forward(from, to) })
		l.serving.Go(func() { l.forward(to, from) })
	}
}

func (l *line) forward(from, to net.Conn) {
	defer func() {
		_ = from.Close()
		_ = to.Close()
		l.mu.Lock()
		delete(l.conns, from)
		l.mu.Unlock()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		time.Sleep(time.Duration(l.delay.Load())) // the network's, not the test's
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil && err != io.ErrNoProgress {
			return
		}
	}
}

// cut ends all connections, and refuses new ones until it is mended.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// lead makes connections go elsewhere: those that there are end.
func (l *line) lead(target string) {
	l.target.Store(&target)
	l.cut()
	l.mend()
}
