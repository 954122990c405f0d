package rpc

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// pending is a call in flight.
type pending struct {
	cancel  context.CancelFunc
	outcome chan outcome
}

// callInBackground calls a client and returns once the request is queued, or the call has returned.
func callInBackground(ctx context.Context, clients *Clients, name, value string) *pending {
	ctx, cancel := context.WithCancel(ctx)
	p := &pending{cancel: cancel, outcome: make(chan outcome, 1)}
	go func() {
		defer cancel()
		payload, err := clients.Call(ctx, name, text(value))
		p.outcome <- outcome{payload, err}
	}()
	synctest.Wait()
	return p
}

func (p *pending) fails(t *testing.T, target error) {
	t.Helper()
	assert.ErrorIs(t, (<-p.outcome).err, target)
}

func (p *pending) returns(t *testing.T, payload string) {
	t.Helper()
	got := <-p.outcome
	assert.NoError(t, got.err)
	assert.Equal(t, payload, string(got.payload))
}

func isClosed(commands <-chan *rpcpb.ServerToClient) bool {
	synctest.Wait()
	select {
	case _, open := <-commands:
		return !open
	default:
		return false
	}
}

func nothingToRead(commands <-chan *rpcpb.ServerToClient) bool {
	synctest.Wait()
	select {
	case <-commands:
		return false
	default:
		return true
	}
}

func TestACallIsARequestAndItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		commands, responses := clients.Join("a", 7)
		defer close(responses)
		first := callInBackground(t.Context(), clients, "a", "one")
		second := callInBackground(t.Context(), clients, "a", "two")
		requireEqualProto(t, request(7, "one"), <-commands)
		requireEqualProto(t, request(8, "two"), <-commands)
		responses <- answer(8, "TWO")
		responses <- answer(7, "ONE")
		first.returns(t, "ONE")
		second.returns(t, "TWO")
	})
}

func TestListIsSorted(t *testing.T) {
	clients := NewClients()
	for _, name := range []string{"b", "c", "a"} {
		_, responses := clients.Join(name, 1)
		defer close(responses)
	}
	assert.Equal(t, []string{"a", "b", "c"}, clients.List())
}

func TestAClientReplacesTheOlderOneUnderItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		oldCommands, oldResponses := clients.Join("a", 1)
		read := callInBackground(t.Context(), clients, "a", "read")
		<-oldCommands
		queued := callInBackground(t.Context(), clients, "a", "queued")

		commands, responses := clients.Join("a", 1)
		read.fails(t, ErrDisconnected)
		queued.fails(t, ErrDisconnected)
		assert.True(t, isClosed(oldCommands), "the older connection is stale")
		assert.Equal(t, []string{"a"}, clients.List())

		call := callInBackground(t.Context(), clients, "a", "new")
		<-commands
		for range 10 {
			oldResponses <- answer(1, "of the older connection") // drained, and no answer
		}
		close(oldResponses)
		synctest.Wait()
		assert.Equal(t, []string{"a"}, clients.List(), "the older connection's end leaves the newer one alone")
		responses <- answer(1, "of the newer connection")
		call.returns(t, "of the newer connection")
		close(responses)
		assert.True(t, isClosed(commands))
		assert.Empty(t, clients.List())
	})
}

func TestATransportLeavesByClosingItsResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		commands, responses := clients.Join("a", 1)
		read := callInBackground(t.Context(), clients, "a", "read")
		<-commands
		queued := callInBackground(t.Context(), clients, "a", "queued")
		close(responses)
		read.fails(t, ErrDisconnected)
		queued.fails(t, ErrDisconnected)
		assert.True(t, isClosed(commands))
		assert.Empty(t, clients.List())
		callInBackground(t.Context(), clients, "a", "later").fails(t, ErrNotConnected)
	})
}

func TestACallThatFoundAConnectionAtItsEndFails(t *testing.T) {
	conn := newConnection("a", 1, 0)
	conn.end()
	_, err := conn.start(t.Context(), text("late")).wait(t.Context())
	assert.ErrorIs(t, err, ErrDisconnected)
	conn.read(&command{}) // a command that the transport was reading at that moment
}

func TestTheDeadlineIsSentAsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		commands, responses := clients.Join("a", 1)
		defer close(responses)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		call := callInBackground(ctx, clients, "a", "one")
		assert.Equal(t, 3*time.Second, (<-commands).GetRequest().GetTimeout().AsDuration())
		call.fails(t, context.DeadlineExceeded)
		assert.Equal(t, uint64(1), (<-commands).GetCancelId())

		endless := callInBackground(t.Context(), clients, "a", "two")
		assert.Nil(t, (<-commands).GetRequest().GetTimeout(), "a caller without a deadline")
		time.Sleep(time.Hour)
		responses <- answer(2, "after an hour")
		endless.returns(t, "after an hour")
	})
}

func TestACallerThatGivesUp(t *testing.T) {
	t.Run("before the client has read the request sends nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			clients := NewClients()
			commands, responses := clients.Join("a", 1)
			defer close(responses)
			offered := callInBackground(t.Context(), clients, "a", "offered")
			behind := callInBackground(t.Context(), clients, "a", "behind")
			for _, call := range []*pending{behind, offered} {
				call.cancel()
				call.fails(t, context.Canceled)
			}
			assert.True(t, nothingToRead(commands))
		})
	})
	t.Run("after that cancels it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			clients := NewClients()
			commands, responses := clients.Join("a", 1)
			defer close(responses)
			call := callInBackground(t.Context(), clients, "a", "one")
			<-commands
			call.cancel()
			call.fails(t, context.Canceled)
			requireEqualProto(t, cancellation(1), <-commands)
			responses <- answer(1, "late")
			assert.True(t, nothingToRead(commands))
		})
	})
	t.Run("while the client is reading it cancels it", func(t *testing.T) {
		conn := newConnection("a", 1, 0)
		call := conn.start(t.Context(), text("one"))
		reading, _ := conn.next()
		require.True(t, conn.giveUp(call))
		conn.read(reading)
		_, message := conn.next()
		requireEqualProto(t, cancellation(1), message)
	})
	t.Run("while the answer arrives gets it", func(t *testing.T) {
		conn := newConnection("a", 1, 0)
		ctx, cancel := context.WithCancel(t.Context())
		call := conn.start(ctx, text("one"))
		reading, _ := conn.next()
		conn.read(reading)
		cancel()
		conn.answer(answer(1, "just in time"))
		assert.False(t, conn.giveUp(call))
		payload, err := call.wait(ctx)
		assert.NoError(t, err)
		assert.Equal(t, "just in time", string(payload))
	})
	t.Run("before the call sends nothing", func(t *testing.T) {
		conn := newConnection("a", 1, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		call := conn.start(ctx, text("one"))
		assert.Zero(t, conn.queue.Len())
		_, err := call.wait(ctx)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestAClientThatDoesNotReadHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		_, stuck := clients.Join("stuck", 1)
		defer close(stuck)
		commands, responses := clients.Join("well", 1)
		defer close(responses)
		var waiting []*pending
		for range 100 {
			waiting = append(waiting, callInBackground(t.Context(), clients, "stuck", "x"))
		}
		assert.Equal(t, []string{"stuck", "well"}, clients.List())
		call := callInBackground(t.Context(), clients, "well", "y")
		responses <- answer((<-commands).GetRequest().GetId(), "Y")
		call.returns(t, "Y")
		for _, call := range waiting {
			call.cancel()
			call.fails(t, context.Canceled)
		}
		conn := clients.find("stuck")
		assert.Zero(t, conn.queue.Len(), "nothing is kept for callers that gave up")
		assert.Empty(t, conn.calls)
	})
}

func TestResponsesThatNobodyWaitsForAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		commands, responses := clients.Join("a", 1)
		defer close(responses)
		call := callInBackground(t.Context(), clients, "a", "one")
		responses <- answer(1, "before the request was read")
		responses <- answer(99, "to no request")
		responses <- nil
		<-commands
		responses <- answer(1, "first")
		responses <- answer(1, "second")
		call.returns(t, "first")
	})
}

func TestANameThatIsNotAllowedNeverJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients(WithJoinFunc(func(string) { t.Error("joined") }), WithLeaveFunc(func(string) { t.Error("left") }))
		commands, responses := clients.Join(strings.Repeat("x", MaxNameLength+1), 1)
		assert.True(t, isClosed(commands))
		responses <- answer(1, "drained")
		close(responses)
		assert.Empty(t, clients.List())
	})
}

func TestJoinsAndLeavesAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		var clients *Clients
		tell := func(what string) func(string) {
			return func(name string) { told = append(told, what+" "+name+": "+strings.Join(clients.List(), ",")) }
		}
		clients = NewClients(WithJoinFunc(tell("joined")), WithLeaveFunc(tell("left")))
		_, a := clients.Join("a", 1)
		_, b := clients.Join("b", 1)
		_, newer := clients.Join("a", 1)
		close(a)
		synctest.Wait()
		close(newer)
		synctest.Wait()
		close(b)
		synctest.Wait()
		assert.Equal(t, []string{"joined a: a", "joined b: a,b", "joined a: a,b", "left a: b", "left b: "}, told)
	})
}

func TestNumbersStartAgainAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		commands, responses := clients.Join("a", ^uint64(0))
		defer close(responses)
		last := callInBackground(t.Context(), clients, "a", "last")
		requireEqualProto(t, request(^uint64(0), "last"), <-commands)
		next := callInBackground(t.Context(), clients, "a", "next")
		requireEqualProto(t, request(0, "next"), <-commands)
		clients.find("a").nextID = ^uint64(0) // as after 2^64 calls
		third := callInBackground(t.Context(), clients, "a", "third")
		requireEqualProto(t, request(1, "third"), <-commands)
		for id, call := range map[uint64]*pending{^uint64(0): last, 0: next, 1: third} {
			responses <- answer(id, "done")
			call.returns(t, "done")
		}
	})
}
