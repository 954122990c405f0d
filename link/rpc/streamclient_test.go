package rpc

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// quickly makes a client come back at once.
var quickly = WithBackoff(time.Nanosecond, time.Nanosecond)

func TestItComesBackWhenTheConnectionEnds(t *testing.T) {
	first, second := serve(t), serve(t)
	gateways := make(chan *gateway, 2)
	gateways <- first
	gateways <- second
	disconnected := make(chan error, 2)
	connects := make(chan struct{}, 2)
	client := NewStreamClient("a", registryOf(t, shout), connector(func(ctx context.Context) (rpcpb.Coordinator_ConnectClient, error) {
		return (<-gateways).dial(t).Connect(ctx)
	}), quickly, WithConnectFunc(func() { connects <- struct{}{} }),
		WithDisconnectFunc(func(err error, _ time.Duration) { disconnected <- err }))
	client.Start()
	defer client.Stop()
	receive(t, connects)
	first.service.Stop()
	assert.Equal(t, codes.Unavailable, status.Code(receive(t, disconnected)))
	receive(t, connects)
	_, err := second.clients.Call(t.Context(), "a", text("x"))
	assert.NoError(t, err)
}

func TestItNeverLetsANumberBeUsedAgain(t *testing.T) {
	g := serve(t)
	client := NewStreamClient("a", registryOf(t, shout), g.dial(t), quickly)
	client.Start()
	defer client.Stop()
	for range 3 {
		assert.Equal(t, "a", receive(t, g.joined))
		require.Equal(t, []string{"a"}, g.clients.List())
		for range 5 {
			_, err := g.clients.Call(t.Context(), "a", text("x"))
			require.NoError(t, err)
		}
		before := g.clients.find("a").nextID
		g.connect(t, "a") // replaces it; it comes back and replaces this one
		receive(t, g.joined)
		assert.Equal(t, before, g.clients.find("a").nextID)
		g.joined <- "a"
	}
}

func TestHandlersAreCancelledWhenTheConnectionEnds(t *testing.T) {
	g := serve(t)
	started, release := make(chan struct{}, 1), make(chan struct{})
	ended := make(chan error, 1)
	client := g.start(t, "a", registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		if req.GetValue() != "hang" {
			return req, nil
		}
		started <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		<-release
		return req, nil
	}), quickly)
	result := make(chan error, 1)
	go func() {
		_, err := g.clients.Call(t.Context(), "a", text("hang"))
		result <- err
	}()
	receive(t, started)
	g.connect(t, "a")
	assert.ErrorIs(t, receive(t, result), ErrDisconnected)
	assert.ErrorIs(t, receive(t, ended), context.Canceled)

	assert.Equal(t, "a", receive(t, g.joined), "a handler that hangs does not keep the client away")
	_, err := g.clients.Call(t.Context(), "a", text("x"))
	assert.NoError(t, err)

	stopped := make(chan struct{})
	go func() {
		client.Stop()
		close(stopped)
	}()
	assert.Equal(t, codes.Canceled, status.Code(lastOf(t, g.ended)))
	select {
	case <-stopped:
		t.Error("Stop has not waited for the handler")
	default:
	}
	close(release)
	receive(t, stopped)
}

// lastOf skips the end of connections that were replaced.
func lastOf(t *testing.T, ended <-chan error) error {
	for {
		if err := receive(t, ended); status.Code(err) != codes.Aborted {
			return err
		}
	}
}

func TestAServerThatDoesNotAcceptInTimeIsLeft(t *testing.T) {
	g := serve(t, WithAuthorize(func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return nil
	}))
	disconnected := make(chan error, 100)
	client := NewStreamClient("a", registryOf(t, shout), g.dial(t), WithConnectTimeout(time.Millisecond),
		WithDisconnectFunc(func(err error, _ time.Duration) { disconnected <- err }))
	client.Start()
	defer client.Stop()
	err := receive(t, disconnected)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.ErrorContains(t, err, "did not accept the connection within 1ms")
}

// attempts starts a client each of whose connections fails with an error, and returns the delays that it announces.
func attempts(t *testing.T, err error, count int) (delays []time.Duration, client *StreamClient) {
	announced := make(chan time.Duration)
	var times []time.Time
	client = NewStreamClient("a", NewHandlerRegistry(), connector(func(context.Context) (rpcpb.Coordinator_ConnectClient, error) {
		times = append(times, time.Now())
		return nil, err
	}), WithDisconnectFunc(func(err error, retryIn time.Duration) {
		_, hasStatus := status.FromError(err)
		assert.True(t, hasStatus)
		announced <- retryIn
	}))
	client.Start()
	t.Cleanup(func() {
		go func() {
			for range announced {
			}
		}()
		client.Stop()
		close(announced)
	})
	for range count {
		select {
		case delay := <-announced:
			delays = append(delays, delay)
		case <-client.Done():
			return delays, client
		}
	}
	for i := range times[1:] {
		assert.Equal(t, delays[i], times[i+1].Sub(times[i]), "the delay is as announced")
	}
	return delays, client
}

func TestDelaysBetweenAttempts(t *testing.T) {
	for name, row := range map[string]struct {
		err      error
		from, to time.Duration
	}{
		"Unavailable":        {status.Error(codes.Unavailable, ""), 0, DefaultLongestDelay},
		"no status":          {errBroken, 0, DefaultLongestDelay},
		"end of stream":      {io.EOF, 0, DefaultLongestDelay},
		"Canceled":           {status.Error(codes.Canceled, ""), 0, DefaultLongestDelay},
		"Aborted":            {status.Error(codes.Aborted, ""), DefaultLongestDelay / 2, DefaultLongestDelay},
		"AlreadyExists":      {status.Error(codes.AlreadyExists, ""), DefaultLongestDelay / 2, DefaultLongestDelay},
		"FailedPrecondition": {status.Error(codes.FailedPrecondition, ""), DefaultLongestDelay / 2, DefaultLongestDelay},
		"ResourceExhausted":  {status.Error(codes.ResourceExhausted, ""), DefaultLongestDelay / 2, DefaultLongestDelay},
		"Unimplemented":      {status.Error(codes.Unimplemented, ""), DefaultLongestDelay / 2, DefaultLongestDelay},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				delays, client := attempts(t, row.err, 50)
				require.Len(t, delays, 50)
				if row.from == 0 {
					assert.LessOrEqual(t, delays[0], DefaultFirstDelay)
				}
				for _, delay := range delays {
					assert.GreaterOrEqual(t, delay, row.from)
					assert.LessOrEqual(t, delay, row.to)
				}
				assert.NoError(t, client.Err())
			})
		})
	}
}

func TestARefusalForGoodEndsTheClient(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated} {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refusal := status.Error(code, "no")
				delays, client := attempts(t, refusal, 50)
				assert.Equal(t, []time.Duration{-1}, delays)
				<-client.Done()
				assert.Equal(t, refusal, client.Err())
			})
		})
	}
}

func TestTheCallerDecidesWhichErrorsAreFinal(t *testing.T) {
	g := serve(t, WithAuthorize(func(context.Context, string) error { return status.Error(codes.AlreadyExists, "taken") }))
	client := NewStreamClient("a", NewHandlerRegistry(), g.dial(t),
		WithConnectFunc(func() { t.Error("it was not accepted") }),
		WithFinal(func(err error) bool { return status.Code(err) == codes.AlreadyExists }))
	client.Start()
	defer client.Stop()
	receive(t, client.Done())
	assert.Equal(t, codes.AlreadyExists, status.Code(client.Err()))
}

func TestANameThatIsNotAllowedIsRefusedAtHome(t *testing.T) {
	client := NewStreamClient("a\n", NewHandlerRegistry(), connector(func(context.Context) (rpcpb.Coordinator_ConnectClient, error) {
		t.Error("connected")
		return nil, errBroken
	}))
	client.Start()
	receive(t, client.Done())
	assert.Equal(t, codes.InvalidArgument, status.Code(client.Err()))
}

func TestStartAndStopInAnyOrder(t *testing.T) {
	g := serve(t)
	t.Run("Start twice", func(t *testing.T) {
		client := g.start(t, "a", NewHandlerRegistry())
		client.Start()
		client.Stop()
		client.Stop()
		assert.NoError(t, client.Err())
		assert.Empty(t, g.joined)
	})
	t.Run("Stop first", func(t *testing.T) {
		client := NewStreamClient("a", NewHandlerRegistry(), g.dial(t))
		client.Stop()
		client.Start()
		receive(t, client.Done())
		assert.Empty(t, g.joined)
	})
	t.Run("Stop while it waits", func(t *testing.T) {
		waiting := make(chan struct{})
		client := NewStreamClient("a", NewHandlerRegistry(), connector(func(context.Context) (rpcpb.Coordinator_ConnectClient, error) {
			return nil, errBroken
		}), WithBackoff(time.Hour, time.Hour), WithDisconnectFunc(func(error, time.Duration) { close(waiting) }))
		client.Start()
		receive(t, waiting)
		client.Stop()
	})
}

func TestEveryEndOfAStreamHasAStatus(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		code codes.Code
	}{
		"end of stream": {io.EOF, codes.Unavailable},
		"nothing":       {nil, codes.Unavailable},
		"a status":      {status.Error(codes.Aborted, "replaced"), codes.Aborted},
		"a deadline":    {context.DeadlineExceeded, codes.DeadlineExceeded},
		"another error": {errBroken, codes.Unknown},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, row.code, status.Code(ended(row.err))) })
	}
}

// An interceptor, such as that of package inlinekeepalive, may have set a header that goes out with the refusal.
func TestARefusalIsNoConnectionEvenIfThereIsAHeader(t *testing.T) {
	g := serve(t, WithAuthorize(func(ctx context.Context, _ string) error {
		require.NoError(t, grpc.SetHeader(ctx, metadata.Pairs("of", "an interceptor")))
		return status.Error(codes.PermissionDenied, "no")
	}))
	ended := make(chan error, 1)
	client := NewStreamClient("a", registryOf(t, shout), g.dial(t), WithConnectFunc(func() { t.Error("it counts as connected") }),
		WithDisconnectFunc(func(err error, _ time.Duration) { ended <- err }))
	client.Start()
	defer client.Stop()
	err := receive(t, ended)
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	assert.ErrorContains(t, err, "no")
}
