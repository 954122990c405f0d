package wsmux_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/wsmux"
)

// inFlight starts one call of each kind and waits until the service has them. Their errors are sent to the channel.
func (s *stack) inFlight(t *testing.T) <-chan error {
	t.Helper()
	ends := make(chan error, 3)
	duplex, err := s.rpc.FullDuplexCall(testContext(t))
	require.NoError(t, err)
	require.NoError(t, duplex.Send(&pb.StreamingOutputCallRequest{}))
	_, err = duplex.Recv()
	require.NoError(t, err)
	go func() { _, err := duplex.Recv(); ends <- err }()
	for _, option := range []grpc.CallOption{grpc.WaitForReady(false), grpc.WaitForReady(true)} {
		go func() { _, err := s.rpc.UnaryCall(testContext(t), simple("wait"), option); ends <- err }()
	}
	eventually(t, func() bool { return s.service.blocked.Load() == 2 }, "the calls are running")
	return ends
}

// assertAllDown says that nothing is left of a stack on either end.
func assertAllDown(t *testing.T, s *stack) {
	t.Helper()
	eventually(t, func() bool { return s.serverSession.IsClosed() && s.clientSession.IsClosed() }, "both sessions are closed")
	eventually(t, func() bool { return s.client.GetState() == connectivity.Shutdown }, "the ClientConn is closed")
	eventually(t, func() bool { return s.service.blocked.Load() == 0 }, "the server's handlers are told")
	for _, wait := range []bool{false, true} {
		_, err := s.rpc.UnaryCall(testContext(t), simple("too late"), grpc.WaitForReady(wait))
		assert.Equal(t, codes.Unavailable, status.Code(err), err)
		_, err = s.rpc.FullDuplexCall(testContext(t), grpc.WaitForReady(wait))
		assert.Equal(t, codes.Unavailable, status.Code(err), err)
	}
	for _, ws := range []*websocket.Conn{s.serverSocket, s.clientSocket} {
		eventually(t, func() bool { return ws.NetConn().SetReadDeadline(time.Time{}) != nil }, "the connection below is closed")
	}
}

func TestEachEndTakesTheWholeStackDown(t *testing.T) {
	tests := map[string]func(*stack){
		"Stop":                             func(s *stack) { s.server.Stop() },
		"the server's session.Close":       func(s *stack) { _ = s.serverSession.Close() },
		"the client's session.Close":       func(s *stack) { _ = s.clientSession.Close() },
		"the server's WebSocket is closed": func(s *stack) { _ = s.serverSocket.Close() },
		"the client's WebSocket is closed": func(s *stack) { _ = s.clientSocket.Close() },
		"bytes that are no frame":          func(s *stack) { _, _ = s.clientSocket.NetConn().Write([]byte{0xff, 0xff}) },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			t.Run("with calls in flight", func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				s := newStack(t)
				ends := s.inFlight(t)
				end(s)
				for range cap(ends) {
					err := get(t, ends)
					assert.Equal(t, codes.Unavailable, status.Code(err), err)
				}
				assertAllDown(t, s)
				assertNoGoroutineLeft(t, before)
			})
			t.Run("before the first call", func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				s := newStack(t)
				end(s)
				assertAllDown(t, s)
				assertNoGoroutineLeft(t, before)
			})
		})
	}
}

// assertNoGoroutineLeft finds those that the stack has left. The web server that made the WebSocket has its own till the end.
func assertNoGoroutineLeft(t *testing.T, before goleak.Option) {
	t.Helper()
	find := func() error { // waits for half a second
		return goleak.Find(before,
			goleak.IgnoreAnyFunction("net/http.(*Server).Serve"), goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
	}
	left := find()
	for deadline := time.Now().Add(soon); left != nil && time.Now().Before(deadline); {
		left = find()
	}
	assert.NoError(t, left)
}

func TestGracefulStopLetsCallsFinish(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := newStack(t)
	duplex, err := s.rpc.FullDuplexCall(testContext(t))
	require.NoError(t, err)
	echo := func() error {
		if err := duplex.Send(&pb.StreamingOutputCallRequest{}); err != nil {
			return err
		}
		_, err := duplex.Recv()
		return err
	}
	require.NoError(t, echo())

	stopped := inBackground(func() error { s.server.GracefulStop(); return nil })
	eventually(t, func() bool {
		_, err := s.rpc.UnaryCall(testContext(t), simple("new"))
		return status.Code(err) == codes.Unavailable
	}, "new calls are turned away")
	waiting := inBackground(func() error {
		_, err := s.rpc.UnaryCall(testContext(t), simple("waits"), grpc.WaitForReady(true))
		return err
	})
	require.NoError(t, echo(), "a call that runs goes on")
	require.False(t, s.serverSession.IsClosed())
	require.NoError(t, duplex.CloseSend())
	_, err = duplex.Recv()
	require.Equal(t, io.EOF, err)

	require.NoError(t, get(t, stopped))
	assert.Equal(t, codes.Unavailable, status.Code(get(t, waiting)))
	assertAllDown(t, s)
	assertNoGoroutineLeft(t, before)
}

func TestGracefulStopWithNothingToWaitFor(t *testing.T) {
	for name, calls := range map[string]int{"no call before": 0, "calls before": 3} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			s := newStack(t)
			for range calls {
				s.echo(t, "hello")
			}
			s.server.GracefulStop()
			assertAllDown(t, s)
			assertNoGoroutineLeft(t, before)
		})
	}
}

// The line is lost without a word: no byte comes through any more, and no connection is closed.
func TestALostLineEndsEveryCallWithUnavailable(t *testing.T) {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	config.KeepAliveInterval, config.ConnectionWriteTimeout = 100*time.Millisecond, 3*time.Second
	var l line
	dialled, accepted := socketsThrough(t, websocket.Upgrader{}, websocket.Dialer{}, through(t, &l))
	s := stackOver(t, dialled, accepted, wsmux.WithYamuxConfig(config))
	ends := s.inFlight(t)
	l.up.limit(0)
	l.down.limit(0)
	for range cap(ends) {
		err := get(t, ends)
		assert.Equal(t, codes.Unavailable, status.Code(err), err)
	}
	assertAllDown(t, s)
}

func TestTheCallersOwnEndIsNotTheSessions(t *testing.T) {
	s := newStack(t)
	ctx, cancel := context.WithCancel(testContext(t))
	duplex, err := s.rpc.FullDuplexCall(ctx)
	require.NoError(t, err)
	cancel()
	_, err = duplex.Recv()
	assert.Equal(t, codes.Canceled, status.Code(err))
	require.NoError(t, s.clientSession.Close())
	_, err = s.rpc.UnaryCall(ctx, simple("canceled before"))
	assert.Equal(t, codes.Canceled, status.Code(err))
}
