package httpconfig

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// watchedConn knows when its last byte came. The body of a response does not tell: over HTTP/1.1 a Read of it returns
// when the buffer is full or the chunk has ended, and a proxy or a service may send a large event as a single chunk. On
// a slow line that is long after its first byte.
type watchedConn struct {
	net.Conn
	opened time.Time
	last   atomic.Int64 // nanoseconds after opened, by the monotonic clock
}

// watched makes a dialer of watchedConns.
func watched(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, opened: time.Now()}, nil
	}
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.last.Store(int64(time.Since(c.opened)))
	}
	return n, err
}

// lastByte is when the last byte came, or when the connection was opened if there was none.
func (c *watchedConn) lastByte() time.Time { return c.opened.Add(time.Duration(c.last.Load())) }

// watchedUnder finds the watchedConn below TLS; nil if there is none.
func watchedUnder(conn net.Conn) *watchedConn {
	for conn != nil {
		if w, ok := conn.(*watchedConn); ok {
			return w
		}
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = layer.NetConn()
	}
	return nil
}
