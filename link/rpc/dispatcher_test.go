package rpc

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

type stringHandler = func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)

func registryOf(t *testing.T, handler stringHandler) *HandlerRegistry {
	registry := NewHandlerRegistry()
	require.NoError(t, RegisterFunction(registry, handler))
	return registry
}

// untilCancelled is a handler that returns when its context ends.
func untilCancelled(ctx context.Context, _ *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func requireCode(t *testing.T, code codes.Code, response *rpcpb.Response) *status.Status {
	t.Helper()
	_, err := outcomeOf("a", response)
	require.Equal(t, code, status.Code(err), "%v", err)
	return status.Convert(err)
}

func TestARequestIsAnsweredByItsFunction(t *testing.T) {
	d := registryOf(t, echo).StartDispatcher()
	defer d.Stop()
	d.ProcessCommand(request(7, "hello"))
	requireEqualProto(t, answer(7, string(encoded(wrapperspb.String("hello")))), <-d.Chan())
}

func TestWhatHandlersReturn(t *testing.T) {
	for name, row := range map[string]struct {
		handler stringHandler
		code    codes.Code
		message string
	}{
		"an error with a status": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				return nil, status.Error(codes.NotFound, "no such thing")
			}, codes.NotFound, "no such thing"},
		"an error without one": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				return nil, errors.New("broken")
			}, codes.Unknown, "broken"},
		"an answer that can't be encoded": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				return wrapperspb.String("\xff"), nil
			}, codes.Internal, "could not be encoded"},
		"nothing": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { return nil, nil },
			codes.OK, ""},
		"a panic": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { panic("secret") },
			codes.Internal, "the handler of google.protobuf.StringValue panicked"},
		"the end of its goroutine": {
			func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				runtime.Goexit()
				return nil, nil
			}, codes.Internal, "the handler of google.protobuf.StringValue panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			d := registryOf(t, row.handler).StartDispatcher()
			defer d.Stop()
			d.ProcessCommand(request(1, "x"))
			got := requireCode(t, row.code, <-d.Chan())
			assert.Contains(t, got.Message(), row.message)
			assert.NotContains(t, got.Message(), "secret")
		})
	}
}

func TestRequestsThatNoHandlerGets(t *testing.T) {
	malformed := text("x")
	malformed.Value = []byte{0xff}
	for name, row := range map[string]struct {
		request *rpcpb.Request
		code    codes.Code
	}{
		"another type":    {&rpcpb.Request{Payload: &anypb.Any{TypeUrl: "type.googleapis.com/other.Type"}}, codes.Unimplemented},
		"no payload":      {&rpcpb.Request{}, codes.Unimplemented},
		"malformed":       {&rpcpb.Request{Payload: malformed}, codes.InvalidArgument},
		"invalid timeout": {&rpcpb.Request{Payload: text("x"), Timeout: &durationpb.Duration{Nanos: -1, Seconds: 1}}, codes.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			d := registryOf(t, func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				t.Error("called")
				return nil, nil
			}).StartDispatcher()
			defer d.Stop()
			d.ProcessCommand(requestOf(row.request))
			requireCode(t, row.code, <-d.Chan())
		})
	}
}

func TestAnIdThatIsRunningIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := registryOf(t, untilCancelled).StartDispatcher()
		defer d.Stop()
		d.ProcessCommand(request(1, "x"))
		d.ProcessCommand(request(1, "y"))
		requireCode(t, codes.InvalidArgument, <-d.Chan())
	})
}

func TestAnIdThatWasCancelledMayBeUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := map[string]chan struct{}{"first": make(chan struct{}), "second": make(chan struct{})}
		d := registryOf(t, func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			<-release[req.GetValue()] // also after its context is cancelled
			return req, nil
		}).StartDispatcher()
		defer d.Stop()
		d.ProcessCommand(request(1, "first"))
		d.ProcessCommand(cancellation(1))
		d.ProcessCommand(request(1, "second"))
		close(release["first"])
		synctest.Wait()
		assert.Empty(t, d.Chan(), "the first one's answer is dropped")
		close(release["second"])
		requireEqualProto(t, answer(1, string(encoded(wrapperspb.String("second")))), <-d.Chan())
	})
}

func TestATimeoutEndsTheContextOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deadlines := make(chan bool, 2)
		d := registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			_, has := ctx.Deadline()
			deadlines <- has
			return untilCancelled(ctx, req)
		}).StartDispatcher()
		defer d.Stop()
		began := time.Now()
		d.ProcessCommand(requestOf(&rpcpb.Request{Payload: text("x"), Timeout: durationpb.New(time.Minute)}))
		requireCode(t, codes.DeadlineExceeded, <-d.Chan())
		assert.Equal(t, time.Minute, time.Since(began))
		assert.True(t, <-deadlines)

		d.ProcessCommand(request(2, "no timeout"))
		assert.False(t, <-deadlines)
	})
}

func TestACancellationEndsTheContextOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		d := registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return req, nil
		}).StartDispatcher()
		defer d.Stop()
		d.ProcessCommand(request(1, "x"))
		d.ProcessCommand(cancellation(99)) // unknown: ignored
		d.ProcessCommand(&rpcpb.ServerToClient{})
		d.ProcessCommand(nil)
		synctest.Wait()
		assert.Empty(t, ended)
		d.ProcessCommand(cancellation(1))
		assert.ErrorIs(t, <-ended, context.Canceled)
		synctest.Wait()
		assert.Empty(t, d.Chan(), "nobody waits for the answer")
	})
}

func TestAPanicIsReported(t *testing.T) {
	registry := registryOf(t, func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { panic("why") })
	var report []any
	registry.OnPanic(func(request string, value any, stack []byte) {
		report = []any{request, value, strings.Contains(string(stack), "dispatcher_test.go")}
	})
	d := registry.StartDispatcher()
	defer d.Stop()
	d.ProcessCommand(request(1, "x"))
	requireCode(t, codes.Internal, <-d.Chan())
	assert.Equal(t, []any{"google.protobuf.StringValue", "why", true}, report)
	d.ProcessCommand(request(2, "x"))
	requireCode(t, codes.Internal, <-d.Chan())
}

func TestTheNumberOfHandlersIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		registry := registryOf(t, func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			<-release
			return req, nil
		})
		registry.SetMaxHandlers(2)
		d, other := registry.StartDispatcher(), registry.StartDispatcher()
		defer d.Stop()
		defer other.Stop()
		d.ProcessCommand(request(1, "x"))
		other.ProcessCommand(request(1, "x"))
		d.ProcessCommand(request(2, "x"))
		requireCode(t, codes.ResourceExhausted, <-d.Chan())

		other.ProcessCommand(cancellation(1))
		d.ProcessCommand(request(3, "x"))
		requireCode(t, codes.ResourceExhausted, <-d.Chan()) // the cancelled handler has not returned

		close(release)
		requireCode(t, codes.OK, <-d.Chan())
		synctest.Wait()
		d.ProcessCommand(request(4, "x"))
		requireCode(t, codes.OK, <-d.Chan())
	})
}

func TestTheDefaultBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := registryOf(t, untilCancelled)
		registry.SetMaxHandlers(0)
		d := registry.StartDispatcher()
		defer d.Stop()
		for id := range uint64(DefaultMaxHandlers + 1) {
			d.ProcessCommand(request(id, "x"))
		}
		requireCode(t, codes.ResourceExhausted, <-d.Chan())
		synctest.Wait()
		assert.Empty(t, d.Chan())
	})
}

func TestACallerWhoHasItsAnswerMayCallAgainAtOnce(t *testing.T) {
	registry := registryOf(t, echo)
	registry.SetMaxHandlers(1)
	d := registry.StartDispatcher()
	defer d.Stop()
	for id := range uint64(1000) {
		d.ProcessCommand(request(id, "x"))
		requireCode(t, codes.OK, <-d.Chan())
	}
}

func TestUnreadResponsesHoldUpTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := registryOf(t, echo)
		registry.SetMaxHandlers(10)
		d := registry.StartDispatcher()
		accepted := 0
		go func() {
			for id := range uint64(1000) {
				d.ProcessCommand(request(id, "x"))
				time.Sleep(time.Millisecond) // so that the handler is done
				accepted++
			}
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.GreaterOrEqual(t, accepted, 10)
		assert.LessOrEqual(t, accepted, 40, "answers that nobody reads don't pile up")
		d.Stop() // whoever waits is let go
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 1000, accepted)
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := false
		d := registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			<-ctx.Done()
			time.Sleep(time.Minute) // takes its time
			returned = true
			return req, nil
		}).StartDispatcher()
		d.ProcessCommand(request(1, "x"))
		go d.Stop() // as well
		d.Stop()
		assert.True(t, returned, "it waits for the handler")
		d.ProcessCommand(request(2, "after Stop: ignored"))
		for range d.Chan() { // closed
		}
		d.Stop()
	})
}
