package wsmux

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

func (c *conn) Close() error {
	c.closing.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *conn) close() error {
	c.closed.Store(true)
	defer func() { _, _ = c.readDeadline.set(time.Time{}), c.writeDeadline.set(time.Time{}) }() // stops the timers
	until := time.Now().Add(c.closeTimeout)
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.ws.WriteControl(websocket.CloseMessage, goodbye, until); err == nil && c.awaitsClose {
		c.awaitClose(until)
	}
	if err := c.ws.Close(); !errors.Is(err, net.ErrClosed) { // closed by a deadline
		return err
	}
	return nil
}

// awaitClose drops all messages until the other side's close frame. To close a socket with bytes that were not read
// resets the connection, and the other side could lose bytes that it has not read yet.
func (c *conn) awaitClose(until time.Time) {
	_ = c.ws.SetReadDeadline(until) // for a Read that is blocked, too, which holds the lock
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.readErr != nil {
		return
	}
	for {
		_, message, err := c.ws.NextReader()
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, message)
	}
}

// pongs answers pings. The WebSocket's own handler writes the pong within Read and gives it 1 s; after that, on a line that
// is merely slow, nothing could be written any more. Here it is written beside Read, however long it takes.
type pongs struct {
	ws *websocket.Conn

	mu      sync.Mutex
	payload *string // of the last ping that has no answer yet, or nil
	writing bool    // a goroutine writes pongs; it ends when there are no more, or with the WebSocket
}

// answer is the ping handler. If pings come faster than pongs go, the last one is answered, as RFC 6455 has it.
func (p *pongs) answer(payload string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.payload = &payload
	if !p.writing {
		p.writing = true
		go p.write()
	}
	return nil
}

func (p *pongs) write() {
	for {
		p.mu.Lock()
		payload := p.payload
		p.payload, p.writing = nil, payload != nil
		p.mu.Unlock()
		if payload == nil {
			return
		}
		_ = p.ws.WriteControl(websocket.PongMessage, []byte(*payload), time.Time{}) // an error shows in the next Write
	}
}
