package wsmux

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

var (
	// ErrBroken is returned by every call after a deadline has passed within a Read or a Write. The WebSocket was in the
	// middle of a frame then, and can't go on. It is no timeout: to try again does not help.
	ErrBroken = errors.New("wsmux: the WebSocket is done, because a deadline passed within a call; dial a new one")
	// ErrTextMessage is returned by Read when the other side has sent a text message. There are only binary ones here.
	ErrTextMessage = errors.New("wsmux: got a text message; the other side must send binary messages")
)

// WrapConn makes a net.Conn of a WebSocket. It owns the WebSocket from then on: nothing else may read, write or close it,
// and its ping handler is replaced.
//
// Read hands out the bytes of binary messages as they come, without waiting for the end of a message. Ends of messages and
// empty messages don't show. A close frame, with any code, is io.EOF. Any other end is an error: io.ErrUnexpectedEOF if the
// connection ended without a close frame, ErrTextMessage, or the WebSocket's own. An error stays: every later Read returns it.
//
// Write sends one binary message. It may be called next to itself; messages are then sent one after the other.
//
// A call whose deadline has passed already fails with os.ErrDeadlineExceeded, which is a net.Error and a timeout. That harms
// nothing, and the connection goes on with a new deadline. A deadline that passes within a call, or is moved to the past then,
// ends that call with the same error, and the connection with it: every later call returns ErrBroken, since a WebSocket
// can't go on in the middle of a frame.
//
// Close sends a close frame, waits for the other side's, 1 s for both, and closes the WebSocket. Calls that are blocked end
// with net.ErrClosed by then, as does every later one. To close it again does nothing.
func WrapConn(conn *websocket.Conn) net.Conn {
	c := newConn(conn)
	c.closeTimeout, c.awaitsClose = time.Second, true
	return c
}

// conn is a net.Conn over a WebSocket.
type conn struct {
	ws           *websocket.Conn
	closeTimeout time.Duration // for the close frame to be sent, and answered
	awaitsClose  bool          // wait for the answer

	readDeadline, writeDeadline deadline
	broken                      atomic.Bool // a deadline passed within a call
	closed                      atomic.Bool
	closing                     sync.Once
	closeErr                    error

	reading lock      // held by Read, for the two below and the reading half of ws
	message io.Reader // the rest of the current message, or nil
	readErr error     // the end of reading, for good

	writing lock // held by Write, for the writing half of ws
	pongs   pongs
}

// lock is a mutex that testing/synctest can see through: a goroutine that waits for it lets the time of a test go on.
type lock chan struct{}

func (l lock) Lock()   { l <- struct{}{} }
func (l lock) Unlock() { <-l }

func newConn(ws *websocket.Conn) *conn {
	c := &conn{ws: ws, reading: make(lock, 1), writing: make(lock, 1)}
	c.readDeadline.expire, c.writeDeadline.expire = c.breakOff, c.breakOff
	c.pongs.ws = ws
	ws.SetPingHandler(c.pongs.answer)
	return c
}

// breakOff closes the connection under everything, which ends each blocked call.
func (c *conn) breakOff() {
	c.broken.Store(true)
	_ = c.ws.Close()
}

func (c *conn) Read(b []byte) (int, error) {
	if err := c.begin(&c.readDeadline); err != nil {
		return 0, err
	}
	defer c.readDeadline.end()
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.closed.Load() || c.broken.Load() { // since it began
		return 0, c.failure(&c.readDeadline, nil)
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, err := c.readBytes(b)
	if err != nil {
		return 0, c.failure(&c.readDeadline, err)
	}
	return n, nil
}

// readBytes reads from the current message, or the next one that is not empty. An error that comes with bytes is for the
// next call.
func (c *conn) readBytes(b []byte) (int, error) {
	for c.readErr == nil { // the WebSocket panics if it is read again and again after its end
		if c.message == nil {
			if c.message, c.readErr = c.nextMessage(); c.readErr != nil {
				break
			}
		}
		n, err := c.message.Read(b)
		if errors.Is(err, io.EOF) { // the end of the message
			c.message, err = nil, nil
		}
		c.readErr = readError(err)
		if n > 0 {
			return n, nil
		}
	}
	return 0, c.readErr
}

func (c *conn) nextMessage() (io.Reader, error) {
	messageType, message, err := c.ws.NextReader()
	if err != nil {
		return nil, readError(err)
	}
	if messageType != websocket.BinaryMessage {
		return nil, ErrTextMessage
	}
	return message, nil
}

// readError tells a close frame from the other ends of a WebSocket.
func readError(err error) error {
	if err == nil {
		return nil
	}
	var closed *websocket.CloseError
	isClose := errors.As(err, &closed)
	switch {
	case isClose && closed.Code != websocket.CloseAbnormalClosure:
		return io.EOF
	case isClose, errors.Is(err, io.EOF):
		return fmt.Errorf("wsmux: the WebSocket ended without a close frame: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("wsmux: could not read from the WebSocket: %w", err)
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.begin(&c.writeDeadline); err != nil {
		return 0, err
	}
	defer c.writeDeadline.end()
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed.Load() || c.broken.Load() { // since it began
		return 0, c.failure(&c.writeDeadline, nil)
	}
	if err := c.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, c.failure(&c.writeDeadline, fmt.Errorf("wsmux: could not write to the WebSocket: %w", err))
	}
	return len(b), nil
}

// begin counts a call under its deadline, or says why there can be none.
func (c *conn) begin(d *deadline) error {
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case c.broken.Load():
		return ErrBroken
	}
	return d.begin()
}

// failure says why a call failed that had begun: err, unless the socket was closed under it.
func (c *conn) failure(d *deadline, err error) error {
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case d.expiredWithinCall():
		return os.ErrDeadlineExceeded
	case c.broken.Load():
		return ErrBroken
	}
	return err
}

func (c *conn) LocalAddr() net.Addr  { return c.ws.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.setDeadline(&c.readDeadline, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeDeadline, t) }

func (c *conn) setDeadline(d *deadline, t time.Time) error {
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case c.broken.Load():
		return ErrBroken
	}
	return d.set(t)
}
