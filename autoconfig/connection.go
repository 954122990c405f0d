package autoconfig

import (
	"context"
	"net/http"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/handshake"
	"github.com/relayconf/relayconf/internal/sse"
)

// connection is one attempt to follow the stream: a goroutine that connects and then reads.
//
// It hands what comes to the run loop, and reads on only when the run loop is through with it. So an item may point into
// the reader's buffer, the run loop may take further items from there, and while a handler's call takes its time no Read
// is waiting that could be mistaken for silence. Only a part of a put is decoded, without any call, while more is read.
type connection struct {
	ctx     context.Context
	cancel  context.CancelFunc
	key     config.AutoConfigKey
	signals chan signal
	handled chan struct{}
	ahead   bool        // nobody has waited yet for the run loop to be through with the last signal
	reader  *sse.Reader // set by the run loop once it is open
}

// signal is what a connection tells the run loop. One of the three is set: opened, err, or item.
type signal struct {
	opened *sse.Reader
	err    error // the connection has ended
	item   sse.Item
}

// newConnection starts the goroutine; the caller counts it in a WaitGroup that exited is the Done of.
func newConnection(ctx context.Context, m *StreamManager, key config.AutoConfigKey, exited func()) *connection {
	c := &connection{key: key, signals: make(chan signal), handled: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(ctx)
	request := handshake.NewRequest(c.ctx, m.streamURL, key)
	go func() {
		defer exited()
		c.follow(m.client, request, m.maxEventSize)
	}()
	return c
}

func (c *connection) follow(client *http.Client, request *http.Request, maxEventSize int) {
	response, err := client.Do(request)
	if err != nil {
		c.tell(signal{err: err})
		return
	}
	defer func() { _ = response.Body.Close() }()
	if err := handshake.Check(response); err != nil {
		c.tell(signal{err: err})
		return
	}
	reader := sse.NewReader(response.Body, maxEventSize)
	reader.Split(PutEvent)
	for s := (signal{opened: reader}); c.tell(s) && s.err == nil; {
		s = signal{}
		s.item, s.err = reader.Next()
	}
}

// tell returns false if the connection was cancelled. It returns when the run loop is through with the signal; if that
// is a part of an event, already when the run loop has taken it: see Reader.Split.
func (c *connection) tell(s signal) bool {
	if c.ahead && !c.awaitHandled() {
		return false
	}
	select {
	case c.signals <- s:
	case <-c.ctx.Done():
		return false
	}
	if c.ahead = s.item.More; c.ahead {
		return true
	}
	return c.awaitHandled()
}

func (c *connection) awaitHandled() bool {
	select {
	case <-c.handled:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// proceed lets the connection read on.
func (c *connection) proceed() { c.handled <- struct{}{} }
