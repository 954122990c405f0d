package listen

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// limit is a listener with a limit of connections. At the limit a new connection takes the place of the oldest one that has
// no request going: it has sent none yet, or waits between two. Only if all are busy is the new one closed.
type limit struct {
	net.Listener
	most int

	mu          sync.Mutex
	connections map[net.Conn]*connection
	idle        list.List // of those without a request, oldest first
	refused     uint64
}

// connection is counted until it is closed.
type connection struct {
	net.Conn
	limit *limit
	idle  *list.Element // nil while a request is going
}

// PlainConn returns the connection to which all bytes are passed on as they are. It lets hub.Hub write without waiting.
func (c *connection) PlainConn() net.Conn { return c.Conn }

// Accept accepts a connection that is within the limit.
func (l *limit) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: accepted, limit: l}
		if l.add(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

func (l *limit) add(c *connection) bool {
	l.mu.Lock()
	var evicted *connection
	if l.most > 0 && len(l.connections) >= l.most {
		l.refused++
		oldest := l.idle.Front()
		if oldest == nil {
			l.mu.Unlock()
			return false
		}
		evicted = oldest.Value.(*connection)
		l.remove(evicted)
	}
	l.connections[c] = c
	c.idle = l.idle.PushBack(c)
	l.mu.Unlock()
	if evicted != nil {
		_ = evicted.Conn.Close()
	}
	return true
}

// remove forgets a connection. The caller holds the lock.
func (l *limit) remove(c *connection) {
	delete(l.connections, c)
	l.setBusy(c)
}

func (l *limit) setBusy(c *connection) {
	if c.idle != nil {
		l.idle.Remove(c.idle)
		c.idle = nil
	}
}

// changed is the server's ConnState.
func (l *limit) changed(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.connections[conn]
	if c == nil {
		return // evicted
	}
	switch state {
	case http.StateActive, http.StateHijacked:
		l.setBusy(c)
	case http.StateIdle:
		l.setBusy(c)
		c.idle = l.idle.PushBack(c)
	}
}

// Close closes the connection, and makes room for another.
func (c *connection) Close() error {
	c.limit.mu.Lock()
	c.limit.remove(c)
	c.limit.mu.Unlock()
	return c.Conn.Close()
}

func (l *limit) counts() (open int, refused uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.connections), l.refused
}
