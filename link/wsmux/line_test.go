package wsmux_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// line is a TCP proxy that a test can slow down, each direction on its own.
type line struct {
	up   *gate // from the end that dials
	down *gate
}

// newLine leads to an address. It ends with the test.
func newLine(t testing.TB, target string) (l line, address string) {
	t.Helper()
	l = line{up: newGate(), down: newGate()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var forwarding sync.WaitGroup
	var conns []net.Conn // of the goroutine that accepts, until that has ended
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				_ = near.Close()
				continue
			}
			conns = append(conns, near, far)
			forwarding.Go(func() { l.up.forward(near, far) })
			forwarding.Go(func() { l.down.forward(far, near) })
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-accepting
		l.up.close()
		l.down.close()
		for _, conn := range conns {
			_ = conn.Close()
		}
		forwarding.Wait()
	})
	return l, listener.Addr().String()
}

// through is a way for socketsThrough by a line.
func through(t testing.TB, l *line) func(url string) string {
	return func(url string) string {
		var address string
		*l, address = newLine(t, strings.TrimPrefix(url, "http://"))
		return "http://" + address
	}
}

// gate lets bytes through while there are some left that it may. With none left it is as if the line were silently lost.
type gate struct {
	mu      sync.Mutex
	changed *sync.Cond
	left    int  // bytes
	limited bool // or else any number
	closed  bool
}

func newGate() *gate {
	g := &gate{}
	g.changed = sync.NewCond(&g.mu)
	return g
}

func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.changed.Broadcast()
}

// limit lets n bytes through from now on.
func (g *gate) limit(n int) { g.set(func() { g.limited, g.left = true, n }) }

// open lets everything through.
func (g *gate) open() { g.set(func() { g.limited = false }) }

func (g *gate) close() { g.set(func() { g.closed = true }) }

// remaining is how many bytes are left of the limit.
func (g *gate) remaining() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left
}

func (g *gate) forward(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	b := make([]byte, 4<<10)
	for {
		n, err := from.Read(b)
		for rest := b[:n]; len(rest) > 0; {
			may := g.take(len(rest))
			if may == 0 {
				return
			}
			if _, err := to.Write(rest[:may]); err != nil {
				return
			}
			rest = rest[may:]
		}
		if err != nil {
			return
		}
	}
}

// take waits until some of n bytes may go through. None means that the line has ended.
func (g *gate) take(n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.limited && g.left == 0 && !g.closed {
		g.changed.Wait()
	}
	switch {
	case g.closed:
		return 0
	case !g.limited:
		return n
	}
	n = min(n, g.left)
	g.left -= n
	return n
}
