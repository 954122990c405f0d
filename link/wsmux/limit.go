package wsmux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"sync/atomic"

	"github.com/hashicorp/yamux"
	"golang.org/x/time/rate"
)

// Limits bound the use that the other side can make of a session. A field that is not positive is no limit. What is not
// bounded here is bounded by yamux, a window of unread bytes for each stream, and by the options of gRPC.
type Limits struct {
	// Streams is how many streams the session may have, those of both sides and those that are half closed. One more ends
	// the session.
	Streams int
	// OpensPerSecond is how many streams the other side may open, and how many pings it may send, per second, in the long
	// run; sixteen times as many at once. One more ends the session.
	OpensPerSecond int
	// BytesPerSecond is how many bytes the other side may send per second in the long run; sixteen times as many at once. It
	// has to wait to send more.
	BytesPerSecond int
}

// limitBurst is how many seconds' worth of a rate may come at once.
const limitBurst = 16

// ErrLimit is why a session has ended whose other side has gone beyond its Limits.
var ErrLimit = errors.New("wsmux: the other side has gone beyond the limits of the session")

// WithLimits bounds the use that the other side can make of the session. The default is no limits.
func WithLimits(limits Limits) Option {
	return func(s *settings) { s.limits = limits }
}

// limitedConn holds incoming data to the Limits. It is read by one goroutine at a time, as yamux does.
type limitedConn struct {
	net.Conn
	streams int // most streams; 0: no limit
	opened  int // streams, by the bytes of the latest Read; the session knows of them only before the next one
	opens   *rate.Limiter
	bytes   *rate.Limiter
	frames  frames
	session atomic.Pointer[yamux.Session] // nil until it is known

	closing context.Context // ends with Close
	close   context.CancelFunc
}

func newLimitedConn(conn net.Conn, limits Limits) *limitedConn {
	c := &limitedConn{Conn: conn, streams: limits.Streams, opens: newLimiter(limits.OpensPerSecond), bytes: newLimiter(limits.BytesPerSecond)}
	c.closing, c.close = context.WithCancel(context.Background())
	return c
}

func newLimiter(perSecond int) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), limitBurst*min(perSecond, math.MaxInt/limitBurst))
}

func (c *limitedConn) Read(b []byte) (int, error) {
	if most := c.bytes.Burst(); c.bytes.Limit() != rate.Inf && len(b) > most {
		b = b[:most]
	}
	n, err := c.Conn.Read(b)
	c.opened = 0
	if limit := c.frames.each(b[:n], c.allow); limit != nil {
		return 0, limit
	}
	if n > 0 && c.bytes.WaitN(c.closing, n) != nil {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *limitedConn) Close() error {
	c.close()
	return c.Conn.Close()
}

// allow returns an error if a frame goes beyond the limits.
func (c *limitedConn) allow(h frameHeader) error {
	switch {
	case !h.opens():
		return nil
	case !c.opens.Allow():
		return fmt.Errorf("%w: it opens streams or sends pings at more than %v a second", ErrLimit, c.opens.Limit())
	case h.kind() == pingFrame || c.streams <= 0:
		return nil
	}
	open := c.opened
	if session := c.session.Load(); session != nil {
		open += session.NumStreams()
	}
	if open >= c.streams {
		return fmt.Errorf("%w: it opens more than %d streams", ErrLimit, c.streams)
	}
	c.opened++
	return nil
}

// frameHeader is the header of a frame of yamux: version, type, flags (2 bytes), stream (4) and length (4).
type frameHeader [12]byte

// Of the protocol of yamux.
const (
	dataFrame = 0
	pingFrame = 2
	synFlag   = 1
)

func (h frameHeader) kind() byte { return h[1] }

// opens tells whether the frame opens a stream, or is a ping and not the answer to one.
func (h frameHeader) opens() bool { return binary.BigEndian.Uint16(h[2:])&synFlag != 0 }

// payload is how many bytes follow that are part of the frame.
func (h frameHeader) payload() uint32 {
	if h.kind() != dataFrame {
		return 0
	}
	return binary.BigEndian.Uint32(h[8:])
}

// frames finds the headers of frames in bytes that come in any pieces.
type frames struct {
	header frameHeader
	have   int    // bytes of it
	skip   uint32 // bytes of the payload to come
}

// each calls f with each header that is complete, until it returns an error.
func (x *frames) each(b []byte, f func(frameHeader) error) error {
	for len(b) > 0 {
		if x.skip > 0 {
			n := min(uint64(len(b)), uint64(x.skip))
			b, x.skip = b[n:], x.skip-uint32(n)
			continue
		}
		n := copy(x.header[x.have:], b)
		b, x.have = b[n:], x.have+n
		if x.have < len(x.header) {
			return nil
		}
		x.have, x.skip = 0, x.header.payload()
		if err := f(x.header); err != nil {
			return err
		}
	}
	return nil
}
