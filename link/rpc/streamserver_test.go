package rpc

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

func shout(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return wrapperspb.String(strings.ToUpper(req.GetValue())), nil
}

func TestTheServerCallsAFunctionOfItsClient(t *testing.T) {
	g := serve(t)
	g.start(t, "a", registryOf(t, shout))
	got, err := Call[wrapperspb.StringValue](t.Context(), g.clients, "a", wrapperspb.String("hello"))
	require.NoError(t, err)
	assert.Equal(t, "HELLO", got.GetValue())
}

func TestTheDeadlineOfTheCallerReachesTheHandler(t *testing.T) {
	g := serve(t)
	remaining := make(chan time.Duration, 1)
	g.start(t, "a", registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		deadline, _ := ctx.Deadline()
		remaining <- time.Until(deadline)
		return req, nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := g.clients.Call(ctx, "a", text("x"))
	require.NoError(t, err)
	got := <-remaining
	assert.Greater(t, got, 30*time.Minute)
	assert.LessOrEqual(t, got, time.Hour)
}

func TestACallerThatGivesUpCancelsTheHandler(t *testing.T) {
	g := serve(t)
	started, ended := make(chan struct{}), make(chan error)
	g.start(t, "a", registryOf(t, func(ctx context.Context, _ *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		started <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := g.clients.Call(ctx, "a", text("x"))
		result <- err
	}()
	receive(t, started)
	cancel()
	assert.ErrorIs(t, receive(t, result), context.Canceled)
	assert.ErrorIs(t, receive(t, ended), context.Canceled)
}

func TestTheErrorOfTheHandlerReachesTheCaller(t *testing.T) {
	g := serve(t)
	g.start(t, "a", registryOf(t, func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		failed, err := status.New(codes.NotFound, "no such thing").WithDetails(&errdetails.ErrorInfo{Reason: "GONE"})
		require.NoError(t, err)
		return nil, failed.Err()
	}))
	_, err := g.clients.Call(t.Context(), "a", text("x"))
	got := status.Convert(err)
	assert.Equal(t, codes.NotFound, got.Code())
	assert.Equal(t, "no such thing", got.Message())
	require.Len(t, got.Details(), 1)
	assert.Equal(t, "GONE", got.Details()[0].(*errdetails.ErrorInfo).GetReason())
}

func TestAHandlerThatPanicsHarmsItsCallerAlone(t *testing.T) {
	g := serve(t)
	started, release := make(chan struct{}), make(chan struct{})
	g.start(t, "a", registryOf(t, func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		switch req.GetValue() {
		case "panic":
			panic("broken")
		case "wait":
			started <- struct{}{}
			<-release
		}
		return req, nil
	}))
	other := make(chan error, 1)
	go func() {
		_, err := g.clients.Call(t.Context(), "a", text("wait"))
		other <- err
	}()
	receive(t, started)
	_, err := g.clients.Call(t.Context(), "a", text("panic"))
	assert.Equal(t, codes.Internal, status.Code(err))
	close(release)
	assert.NoError(t, receive(t, other))
	_, err = g.clients.Call(t.Context(), "a", text("x"))
	assert.NoError(t, err)
}

func TestMessagesThatAreTooLargeHarmTheirCallerAlone(t *testing.T) {
	g := serve(t)
	g.start(t, "a", registryOf(t, func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		if req.GetValue() == "much" {
			return wrapperspb.String(strings.Repeat("x", DefaultMaxMessageSize)), nil
		}
		return req, nil
	}))
	_, err := g.clients.Call(t.Context(), "a", text(strings.Repeat("x", DefaultMaxMessageSize)))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.ErrorContains(t, err, "the request has")
	_, err = g.clients.Call(t.Context(), "a", text("much"))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.ErrorContains(t, err, "the answer has")
	_, err = g.clients.Call(t.Context(), "a", text(strings.Repeat("x", DefaultMaxMessageSize-1000)))
	assert.NoError(t, err)
	assert.Empty(t, g.ended, "the connection stayed")
}

func TestWhatAClientMustNotSend(t *testing.T) {
	response := responseOf(answer(1, "x"))
	for name, row := range map[string]struct {
		messages []*rpcpb.ClientToServer
		message  string
	}{
		"a response first":    {[]*rpcpb.ClientToServer{response}, "has to be its Hello"},
		"nothing in it":       {[]*rpcpb.ClientToServer{{}}, "has to be its Hello"},
		"a second Hello":      {[]*rpcpb.ClientToServer{helloOf("a"), helloOf("a")}, "sends responses only"},
		"no name":             {[]*rpcpb.ClientToServer{helloOf("")}, "name is empty"},
		"a name with control": {[]*rpcpb.ClientToServer{helloOf("a\x1b")}, "only printable ones"},
	} {
		t.Run(name, func(t *testing.T) {
			g := serve(t)
			stream := g.open(t)
			for _, message := range row.messages {
				require.NoError(t, stream.Send(message))
			}
			_, err := stream.Recv()
			assert.Equal(t, codes.InvalidArgument, status.Code(err))
			assert.ErrorContains(t, err, row.message)
		})
	}
}

func TestAClientHasToSayHelloInTime(t *testing.T) {
	g := serve(t, WithHelloTimeout(time.Millisecond))
	_, err := g.open(t).Recv()
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.ErrorContains(t, err, "sent no Hello within 1ms")
}

func TestAClientThatClosesItsStreamLeaves(t *testing.T) {
	g := serve(t)
	for range 50 {
		stream := g.connect(t, "a")
		require.NoError(t, stream.CloseSend())
		require.NoError(t, receive(t, g.ended))
	}
	assert.Eventually(t, func() bool { return len(g.clients.List()) == 0 }, waitLimit, time.Millisecond)
}

func TestAuthorizeDecidesWhoMayTakeAName(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		code codes.Code
	}{
		"a status":     {status.Error(codes.AlreadyExists, "taken"), codes.AlreadyExists},
		"a mere error": {errBroken, codes.Unknown},
		"yes":          {nil, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			g := serve(t, WithAuthorize(func(ctx context.Context, name string) error {
				assert.Equal(t, "a", name)
				md, _ := metadata.FromIncomingContext(ctx)
				assert.Equal(t, []string{"token"}, md.Get("authorization"))
				return row.err
			}))
			ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", "token"), waitLimit)
			defer cancel()
			stream, err := g.dial(t).Connect(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(helloOf("a")))
			if row.code == codes.OK {
				assert.Equal(t, "a", receive(t, g.joined))
				return
			}
			_, err = stream.Recv()
			assert.Equal(t, row.code, status.Code(err))
			assert.Empty(t, g.clients.List())
		})
	}
}

func TestAuthorizeCanAskThePresentClientOfTheName(t *testing.T) {
	var g *gateway
	var running atomic.Int32
	g = serve(t, WithAuthorize(func(ctx context.Context, name string) error {
		assert.Equal(t, int32(1), running.Add(1), "one at a time for each name")
		defer running.Add(-1)
		if _, err := g.clients.Call(ctx, name, text("are you there?")); err == nil {
			return status.Error(codes.AlreadyExists, "the name is taken")
		}
		return nil
	}))
	const count = 20
	refused := make(chan error, count)
	for range count {
		client := NewStreamClient("a", registryOf(t, shout), g.dial(t),
			WithDisconnectFunc(func(err error, _ time.Duration) { refused <- err }))
		client.Start()
		t.Cleanup(client.Stop)
	}
	for range count - 1 {
		assert.Equal(t, codes.AlreadyExists, status.Code(receive(t, refused)))
	}
	assert.Len(t, g.joined, 1)
}

func TestAnOlderConnectionIsClosedAsStale(t *testing.T) {
	g := serve(t)
	older := g.connect(t, "a")
	g.connect(t, "a")
	_, err := older.Recv()
	assert.Equal(t, codes.Aborted, status.Code(err))
	assert.ErrorContains(t, err, "another client has connected under the same name")
	assert.Equal(t, []string{"a"}, g.clients.List())
}

func TestAClientThatDoesNotReadItsStream(t *testing.T) {
	g := serve(t)
	g.connect(t, "stuck") // nobody reads from it
	g.start(t, "well", registryOf(t, shout))

	large := text(strings.Repeat("x", 1<<20)) // more than flow control lets through
	const count = 5
	failed := make(chan error, count)
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	for range count {
		go func() {
			_, err := g.clients.Call(ctx, "stuck", large)
			failed <- err
		}()
	}
	stuck := g.clients.find("stuck")
	require.Eventually(t, func() bool {
		stuck.mu.Lock()
		defer stuck.mu.Unlock()
		return len(stuck.calls) == count
	}, waitLimit, time.Millisecond)
	_, err := g.clients.Call(ctx, "well", text("x"))
	assert.NoError(t, err, "another client is called")
	assert.Equal(t, []string{"stuck", "well"}, g.clients.List())

	g.connect(t, "stuck")
	assert.Equal(t, codes.Aborted, status.Code(receive(t, g.ended)), "it is replaced all the same")
	for range count {
		assert.ErrorIs(t, receive(t, failed), ErrDisconnected)
	}
}

func TestStopEndsEveryConnection(t *testing.T) {
	waiting := make(chan struct{})
	var returned atomic.Bool
	g := serve(t, WithAuthorize(func(ctx context.Context, name string) error {
		if name == "unauthorized" {
			close(waiting)
			<-ctx.Done()
			time.Sleep(10 * time.Millisecond) // takes its time
			returned.Store(true)
		}
		return nil
	}))
	accepted, silent, unauthorized := g.connect(t, "accepted"), g.open(t), g.open(t)
	require.NoError(t, unauthorized.Send(helloOf("unauthorized")))
	receive(t, waiting)
	g.service.Stop()
	assert.True(t, returned.Load(), "Stop waits")
	for name, stream := range map[string]rpcpb.Coordinator_ConnectClient{
		"accepted": accepted, "silent": silent, "being authorized": unauthorized, "new": g.open(t),
	} {
		_, err := stream.Recv()
		assert.Equal(t, codes.Unavailable, status.Code(err), name)
	}
	stopped := make(chan struct{})
	go func() {
		g.server.GracefulStop()
		close(stopped)
	}()
	receive(t, stopped)
}
