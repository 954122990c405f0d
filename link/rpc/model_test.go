package rpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// TestClientsBehaveLikeTheirModel plays random histories of joins, leaves, calls, cancellations, clients that read late or
// never, and answers that are late, doubled or to no request. After each step everything has come to rest, so the model
// says exactly which calls have returned, their results, and which command each client reads next.
func TestClientsBehaveLikeTheirModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(t *rapid.T) {
			m := &model{clients: NewClients(), current: map[string]*modelClient{}}
			defer m.end()
			t.Repeat(map[string]func(*rapid.T){
				"":        m.check,
				"join":    m.join,
				"leave":   m.leave,
				"call":    m.call,
				"callAll": m.callAll,
				"cancel":  m.cancel,
				"read":    m.read,
				"answer":  m.answer,
				"stray":   m.stray,
			})
		})
	})
}

// inBubble hides the deadline of a test, which must not be asked for in a bubble of synctest.
type inBubble struct{ rapid.TB }

type model struct {
	clients *Clients
	current map[string]*modelClient
	all     []*modelClient // with those that are stale
	calls   []*modelCall   // that have not returned
}

type modelClient struct {
	name      string
	commands  <-chan *rpcpb.ServerToClient
	responses chan<- *rpcpb.Response
	nextID    uint64
	queue     []*rpcpb.ServerToClient // that it can read
	read      []uint64                // ids of requests that it has read
	stale     bool
}

// modelCall is one request; its callers share a context if it is part of a CallAll.
type modelCall struct {
	client   *modelClient
	id       uint64
	cancel   context.CancelFunc
	returned chan outcome
}

func (m *model) join(t *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	nextID := rapid.Uint64Range(1, 5).Draw(t, "nextID")
	joined := &modelClient{name: name, nextID: nextID}
	joined.commands, joined.responses = m.clients.Join(name, nextID)
	if older := m.current[name]; older != nil {
		m.lose(t, older)
	}
	m.current[name] = joined
	m.all = append(m.all, joined)
}

func (m *model) leave(t *rapid.T) {
	left := m.any(t)
	if left == nil {
		return
	}
	close(left.responses)
	m.all = slices.DeleteFunc(m.all, func(c *modelClient) bool { return c == left })
	synctest.Wait()
	if !left.stale {
		m.lose(t, left)
		delete(m.current, left.name)
	}
}

// lose notes that a connection has ended: its commands are closed soon and its calls fail.
func (m *model) lose(t *rapid.T, lost *modelClient) {
	lost.stale = true
	lost.queue = nil
	for _, call := range m.calls {
		if call.client == lost {
			defer m.returns(t, call, nil, codes.Unavailable)
		}
	}
}

func (m *model) call(t *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	client := m.current[name]
	ctx, cancel := context.WithCancel(context.Background())
	call := &modelCall{client: client, cancel: cancel, returned: make(chan outcome, 1)}
	go func() {
		payload, err := m.clients.Call(ctx, name, text("x"))
		call.returned <- outcome{payload, err}
	}()
	synctest.Wait()
	if client == nil {
		m.returns(t, call, nil, codes.Unavailable)
		return
	}
	m.send(call)
}

func (m *model) callAll(t *rapid.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var calls []*modelCall
	for _, name := range slices.Sorted(maps.Keys(m.current)) {
		calls = append(calls, &modelCall{client: m.current[name], cancel: cancel, returned: make(chan outcome, 1)})
	}
	finished := make(chan []RawResult, 1)
	go func() { finished <- m.clients.CallAll(ctx, text("x")) }()
	synctest.Wait()
	for _, call := range calls {
		m.send(call)
		m.calls = slices.DeleteFunc(m.calls, func(c *modelCall) bool { return c == call })
	}
	// Some answer; the rest is cancelled.
	expected := make([]outcome, len(calls))
	for i, call := range calls {
		expected[i].err = context.Canceled
		if rapid.Bool().Draw(t, "answers") {
			for !slices.Contains(call.client.read, call.id) {
				m.readFrom(t, call.client)
			}
			payload := fmt.Sprint(call.client.name, call.id)
			call.client.responses <- answer(call.id, payload)
			expected[i] = outcome{payload: []byte(payload)}
		}
	}
	synctest.Wait()
	cancel()
	results := <-finished
	synctest.Wait()
	require.Len(t, results, len(calls))
	for i, result := range results {
		call := calls[i]
		assert.Equal(t, call.client.name, result.Client)
		assert.Equal(t, expected[i].payload, result.Success)
		assert.ErrorIs(t, result.Err, expected[i].err)
		if expected[i].err != nil {
			m.giveUp(call)
		}
	}
}

// send notes that a call's request is in its client's queue.
func (m *model) send(call *modelCall) {
	call.id = call.client.nextID
	call.client.nextID++
	call.client.queue = append(call.client.queue, request(call.id, "x"))
	m.calls = append(m.calls, call)
}

func (m *model) cancel(t *rapid.T) {
	if len(m.calls) == 0 {
		return
	}
	call := rapid.SampledFrom(m.calls).Draw(t, "call")
	call.cancel()
	m.returns(t, call, nil, codes.Canceled)
	m.giveUp(call)
}

// giveUp notes that nobody waits for a call any more: its client either never reads the request, or then reads that it is
// cancelled.
func (m *model) giveUp(call *modelCall) {
	client := call.client
	if slices.Contains(client.read, call.id) {
		client.queue = append(client.queue, cancellation(call.id))
		return
	}
	client.queue = slices.DeleteFunc(client.queue, func(command *rpcpb.ServerToClient) bool {
		return command.GetRequest().GetId() == call.id && command.GetRequest() != nil
	})
}

// read makes a client read one command. One that is never drawn is stuck.
func (m *model) read(t *rapid.T) {
	if client := m.any(t); client != nil {
		m.readFrom(t, client)
	}
}

func (m *model) readFrom(t *rapid.T, client *modelClient) {
	synctest.Wait()
	select {
	case command, open := <-client.commands:
		if client.stale {
			assert.False(t, open, "a stale client reads no command")
			return
		}
		require.NotEmpty(t, client.queue, "unexpected: %v", command)
		requireEqualProto(t, client.queue[0], command)
		client.queue = client.queue[1:]
		if command.GetRequest() != nil {
			client.read = append(client.read, command.GetRequest().GetId())
		}
	default:
		assert.False(t, client.stale, "the commands of a stale client are closed")
		assert.Empty(t, client.queue)
	}
}

// answer makes a client answer a request that it has read, also one that was answered or cancelled before.
func (m *model) answer(t *rapid.T) {
	client := m.any(t)
	if client == nil || len(client.read) == 0 {
		return
	}
	id := rapid.SampledFrom(client.read).Draw(t, "id")
	response, code := answer(id, fmt.Sprint(id)), codes.OK
	if rapid.Bool().Draw(t, "fails") {
		response, code = failure(id, status.Error(codes.NotFound, "")), codes.NotFound
	}
	client.responses <- response
	synctest.Wait()
	for _, call := range m.calls {
		if call.client == client && call.id == id {
			m.returns(t, call, response.GetPayload(), code)
			return
		}
	}
}

// stray makes a client answer a request that it has not read.
func (m *model) stray(t *rapid.T) {
	client := m.any(t)
	if client == nil {
		return
	}
	id := rapid.Uint64Range(0, 20).Filter(func(id uint64) bool { return !slices.Contains(client.read, id) }).Draw(t, "id")
	client.responses <- answer(id, "stray")
}

// any returns one of the clients that have not left, or nil if there is none.
func (m *model) any(t *rapid.T) *modelClient {
	if len(m.all) == 0 {
		return nil
	}
	return rapid.SampledFrom(m.all).Draw(t, "client")
}

// returns requires that a call has returned.
func (m *model) returns(t *rapid.T, call *modelCall, payload []byte, code codes.Code) {
	synctest.Wait()
	select {
	case got := <-call.returned:
		assert.Equal(t, code, status.Code(got.err), "%v", got.err)
		assert.Equal(t, payload, got.payload)
	default:
		assert.Fail(t, "the call has not returned")
	}
	call.cancel()
	m.calls = slices.DeleteFunc(m.calls, func(c *modelCall) bool { return c == call })
}

func (m *model) check(t *rapid.T) {
	synctest.Wait()
	assert.Equal(t, slices.Sorted(maps.Keys(m.current)), m.clients.List())
	for _, call := range m.calls {
		assert.Empty(t, call.returned, "a call has returned without a reason")
	}
	for name, client := range m.current {
		conn := m.clients.find(name)
		assert.Equal(t, len(client.queue), conn.queue.Len(), "commands kept for %s", name)
	}
}

// end lets every goroutine of the model end.
func (m *model) end() {
	for _, client := range m.all {
		close(client.responses)
	}
	synctest.Wait()
}
