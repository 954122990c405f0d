package rpc

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// connection is the server's side of one connected client. Its goroutine, run, is the only one that writes to commands
// and closes it. Callers never wait for it: they queue a command, and it hands the queue on as the transport reads.
//
// The queue is bounded by the state that others hold anyway: a request in it has a caller who waits and takes it
// out again when it gives up; a cancellation has a request that the transport has read.
type connection struct {
	name      string
	commands  chan *rpcpb.ServerToClient
	responses chan *rpcpb.Response
	replaced  chan struct{} // closed when another client has joined under the name
	queued    chan struct{} // a token: the queue has changed

	maxRequest int // bytes that the transport can carry; 0: any number

	mu     sync.Mutex
	nextID uint64
	calls  map[uint64]*call // that await an answer
	queue  list.List        // of *command: not yet read by the transport
	ended  bool
}

// command is a request, which has a call, or a cancellation, which has none.
type command struct {
	call     *call
	cancelID uint64
	place    *list.Element // in the queue
}

// call is one caller waiting for one client.
type call struct {
	conn     *connection
	id       uint64
	payload  *anypb.Any
	deadline time.Time    // zero: none
	request  *command     // in the queue; nil once the transport has read it
	done     chan outcome // one value, unless the caller gives up
}

type outcome struct {
	payload []byte
	err     error
}

func newConnection(name string, nextID uint64, maxRequest int) *connection {
	return &connection{
		name:       name,
		commands:   make(chan *rpcpb.ServerToClient),
		responses:  make(chan *rpcpb.Response),
		replaced:   make(chan struct{}),
		queued:     make(chan struct{}, 1),
		maxRequest: maxRequest,
		nextID:     nextID,
		calls:      map[uint64]*call{},
	}
}

// envelopeSize is at least the size of a message without the payload of its request or response: ids, timeout, lengths.
const envelopeSize = 64

// run carries commands and responses until the transport leaves. left is called when it does.
func (c *connection) run(left func()) {
	defer left()
	if c.carry() {
		close(c.commands)
		return
	}
	close(c.commands)
	for range c.responses { // a stale connection's transport may still write
	}
}

// carry returns true when the transport has left, false when the connection has been replaced.
func (c *connection) carry() (left bool) {
	for {
		command, message := c.next()
		var commands chan<- *rpcpb.ServerToClient // nil, which blocks, while there is nothing to send
		if command != nil {
			commands = c.commands
		}
		select {
		case commands <- message:
			c.read(command)
		case <-c.queued:
		case response, open := <-c.responses:
			if !open {
				c.end()
				return true
			}
			c.answer(response)
		case <-c.replaced:
			return false
		}
	}
}

// next returns the first command of the queue, which stays there, and its message.
func (c *connection) next() (*command, *rpcpb.ServerToClient) {
	c.mu.Lock()
	defer c.mu.Unlock()
	front := c.queue.Front()
	if front == nil {
		return nil, nil
	}
	next := front.Value.(*command)
	if next.call == nil {
		return next, &rpcpb.ServerToClient{Command: &rpcpb.ServerToClient_CancelId{CancelId: next.cancelID}}
	}
	request := &rpcpb.Request{Id: next.call.id, Payload: next.call.payload}
	if !next.call.deadline.IsZero() {
		request.Timeout = durationpb.New(max(time.Until(next.call.deadline), 0))
	}
	return next, &rpcpb.ServerToClient{Command: &rpcpb.ServerToClient_Request{Request: request}}
}

// read notes that the transport has read a command.
func (c *connection) read(sent *command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended: // and the queue with it
	case sent.call == nil:
		c.queue.Remove(sent.place)
	case c.calls[sent.call.id] != sent.call: // its caller gave up, and took it out of the queue, at the same time
		c.enqueue(&command{cancelID: sent.call.id})
	default:
		c.queue.Remove(sent.place)
		sent.call.request = nil
	}
}

// answer hands a response to its caller. One that nobody waits for is dropped.
func (c *connection) answer(response *rpcpb.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[response.GetId()]
	if call == nil || call.request != nil {
		return
	}
	delete(c.calls, call.id)
	payload, err := outcomeOf(c.name, response)
	call.done <- outcome{payload, err}
}

// start queues a request and returns at once. Nothing is sent for a context that has ended already.
func (c *connection) start(ctx context.Context, payload *anypb.Any) *call {
	deadline, _ := ctx.Deadline()
	started := &call{conn: c, payload: payload, deadline: deadline, done: make(chan outcome, 1)}
	if ctx.Err() != nil {
		started.done <- outcome{err: contextError(ctx, c.name)}
		return started
	}
	if size := proto.Size(payload); c.maxRequest > 0 && size > c.maxRequest-envelopeSize {
		started.done <- outcome{err: status.Errorf(codes.ResourceExhausted,
			"rpc: the request has %d bytes: client %q can be sent %d at most", size, c.name, c.maxRequest-envelopeSize)}
		return started
	}
	if !utf8.ValidString(payload.GetTypeUrl()) { // it would end the connection, as it can't be encoded
		started.done <- outcome{err: status.Errorf(codes.InvalidArgument, "rpc: the request's type %q is not UTF-8", payload.GetTypeUrl())}
		return started
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		started.done <- outcome{err: c.disconnected()}
		return started
	}
	for c.calls[c.nextID] != nil { // after a client has chosen a first id close to the end of the numbers
		c.nextID++
	}
	started.id = c.nextID
	c.nextID++
	c.calls[started.id] = started
	started.request = &command{call: started}
	c.enqueue(started.request)
	return started
}

// giveUp forgets a call and cancels its request, if the transport has read that. It returns false if the call has an
// outcome already.
func (c *connection) giveUp(abandoned *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[abandoned.id] != abandoned {
		return false
	}
	delete(c.calls, abandoned.id)
	if abandoned.request == nil {
		c.enqueue(&command{cancelID: abandoned.id})
		return true
	}
	c.queue.Remove(abandoned.request.place)
	c.wake()
	return true
}

// enqueue appends a command to the queue.
func (c *connection) enqueue(added *command) {
	added.place = c.queue.PushBack(added)
	c.wake()
}

// wake makes run look at the queue again.
func (c *connection) wake() {
	select {
	case c.queued <- struct{}{}:
	default:
	}
}

// replace ends the connection because another has its name.
func (c *connection) replace() {
	c.end()
	close(c.replaced)
}

// end fails the calls that await an answer, and every later one.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, call := range c.calls {
		call.done <- outcome{err: c.disconnected()}
	}
	clear(c.calls)
	c.queue.Init()
}

func (c *connection) disconnected() error { return fmt.Errorf("%w: %q", ErrDisconnected, c.name) }

// wait returns the call's outcome, or the context's error if that ends first.
func (c *call) wait(ctx context.Context) ([]byte, error) {
	select {
	case o := <-c.done:
		return o.payload, o.err
	case <-ctx.Done():
	}
	if c.conn.giveUp(c) {
		return nil, contextError(ctx, c.conn.name)
	}
	o := <-c.done // the answer came at the same time
	return o.payload, o.err
}
