//go:build linux && servers

package hubs

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// kind is the purpose of a relay's connection.
type kind int

const (
	aStream kind = iota
	aLink
)

// balancer is the load balancer that a relay reaches the hubs through. Each relay has its own, so that a test can move one
// relay. Each connection goes to the next hub in turn that can be reached. A relay's stream and its link begin at two hubs.
type balancer struct {
	hubs     []string // their addresses
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	turn   [2]int             // by kind: the hub to try next
	closed map[kind]bool      // no connection is let in
	open   map[*pipe]struct{} // the connections
	lost   []net.Conn         // to hubs that have yet to notice
	made   map[kind]int       // how many there were
}

// pipe is a connection of a relay and that to a hub.
type pipe struct {
	kind       kind
	hub        int
	relay, far net.Conn
	lost       atomic.Bool // the hub is not to notice the end
}

func (p *pipe) close() {
	_ = p.relay.Close()
	if !p.lost.Load() {
		_ = p.far.Close()
	}
}

func newBalancer(t *testing.T, first int, hubs []string) *balancer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &balancer{hubs: hubs, listener: listener, turn: [2]int{aStream: first, aLink: first + 1}, open: map[*pipe]struct{}{}, made: map[kind]int{}, closed: map[kind]bool{}}
	b.serving.Go(b.accept)
	t.Cleanup(func() {
		b.shut(true, aStream, aLink)
		_ = listener.Close()
		b.forget()
		b.serving.Wait()
	})
	return b
}

func (b *balancer) addr() string { return b.listener.Addr().String() }

func (b *balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.serving.Go(func() { b.serve(conn) })
	}
}

func (b *balancer) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	p := b.connect(conn, line)
	if p == nil {
		return
	}
	defer p.close()
	b.serving.Go(func() {
		defer p.close()
		_, _ = io.Copy(conn, p.far)
	})
	if _, err := io.WriteString(p.far, line); err == nil {
		_, _ = io.Copy(p.far, reader)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, p)
}

// connect returns nil if there is no hub, or if nobody is let in.
func (b *balancer) connect(conn net.Conn, line string) *pipe {
	p := &pipe{kind: aStream, relay: conn}
	if strings.HasPrefix(line, "GET /link ") {
		p.kind = aLink
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.hubs {
		p.hub = b.turn[p.kind] % len(b.hubs)
		b.turn[p.kind]++
		if b.closed[p.kind] {
			return nil
		}
		var err error
		if p.far, err = net.Dial("tcp", b.hubs[p.hub]); err == nil {
			b.open[p] = struct{}{}
			b.made[p.kind]++
			return p
		}
	}
	return nil
}

// shut lets no more connections of these kinds in and ends those that are open, or lets them in again.
func (b *balancer) shut(shut bool, kinds ...kind) {
	for _, k := range kinds {
		b.mu.Lock()
		b.closed[k] = shut
		b.mu.Unlock()
		if shut {
			b.cut(k)
		}
	}
}

// cut ends the connections of a kind.
func (b *balancer) cut(k kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.open {
		if p.kind == k {
			p.close()
		}
	}
}

// lose ends the connections of a kind in a way that the hubs do not notice, as a firewall does that forgets them.
func (b *balancer) lose(k kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.open {
		if p.kind == k {
			p.lost.Store(true)
			b.lost = append(b.lost, p.far)
			p.close()
		}
	}
}

func (b *balancer) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.lost {
		_ = conn.Close()
	}
}

// at returns the hub that the relay has its latest connection of a kind to.
func (b *balancer) at(k kind) (hub int, there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.open {
		if p.kind == k {
			hub, there = p.hub, true
		}
	}
	return hub, there
}

// count returns how many connections of a kind the relay has made.
func (b *balancer) count(k kind) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made[k]
}
