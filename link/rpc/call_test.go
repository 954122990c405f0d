package rpc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// joinAnswering joins a client that answers each request with the result of respond, and leaves with the test.
func joinAnswering(t *testing.T, clients *Clients, name string, respond func(*rpcpb.Request) *rpcpb.Response) {
	commands, responses := clients.Join(name, 1)
	leave, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		defer close(responses)
		for {
			select {
			case command := <-commands:
				if command.GetRequest() == nil {
					continue
				}
				if response := respond(command.GetRequest()); response != nil {
					responses <- response
				}
			case <-leave:
				return
			}
		}
	}()
	t.Cleanup(func() { close(leave); <-left })
}

func encoded(message proto.Message) []byte {
	data, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return data
}

func TestATypedCallEncodesAndDecodes(t *testing.T) {
	clients := NewClients()
	joinAnswering(t, clients, "a", func(request *rpcpb.Request) *rpcpb.Response {
		req := &wrapperspb.StringValue{}
		assert.NoError(t, request.GetPayload().UnmarshalTo(req))
		duration, err := time.ParseDuration(req.GetValue())
		assert.NoError(t, err)
		return answer(request.GetId(), string(encoded(durationpb.New(duration))))
	})
	got, err := Call[durationpb.Duration](t.Context(), clients, "a", wrapperspb.String("90s"))
	require.NoError(t, err)
	assert.Equal(t, 90*time.Second, got.AsDuration())

	results, err := CallAll[durationpb.Duration](t.Context(), clients, wrapperspb.String("5s"))
	require.NoError(t, err)
	require.Len(t, results, 1)
	assert.Equal(t, "a", results[0].Client)
	assert.Equal(t, 5*time.Second, results[0].Success.AsDuration())
}

func TestWhatTheClientAnswersDecidesTheError(t *testing.T) {
	detail, err := anypb.New(&errdetails.ErrorInfo{Reason: "STALE"})
	require.NoError(t, err)
	failed := &spb.Status{Code: int32(codes.FailedPrecondition), Message: "not now", Details: []*anypb.Any{detail}}
	for name, row := range map[string]struct {
		response *rpcpb.Response
		code     codes.Code
		message  string
	}{
		"an error": {&rpcpb.Response{Outcome: &rpcpb.Response_Error{Error: failed}}, codes.FailedPrecondition, "not now"},
		"an error with the code OK": {&rpcpb.Response{Outcome: &rpcpb.Response_Error{Error: &spb.Status{}}},
			codes.Internal, `rpc: client "a" answered with an error whose code is OK`},
		"no outcome": {&rpcpb.Response{}, codes.Internal, `rpc: client "a" answered with neither a payload nor an error`},
		"a payload of another type": {answer(0, "\xff"), codes.Internal,
			`rpc: the answer of client "a" is no google.protobuf.Duration`},
	} {
		t.Run(name, func(t *testing.T) {
			clients := NewClients()
			joinAnswering(t, clients, "a", func(request *rpcpb.Request) *rpcpb.Response {
				row.response.Id = request.GetId()
				return row.response
			})
			_, err := Call[durationpb.Duration](t.Context(), clients, "a", wrapperspb.String("x"))
			assert.Equal(t, row.code, status.Code(err))
			assert.Contains(t, err.Error(), row.message)
			results, err := CallAll[durationpb.Duration](t.Context(), clients, wrapperspb.String("x"))
			require.NoError(t, err)
			assert.Equal(t, row.code, status.Code(results[0].Err))
			assert.Nil(t, results[0].Success)
		})
	}
}

func TestDetailsOfAnErrorReachTheCaller(t *testing.T) {
	failed, err := status.New(codes.Aborted, "busy").WithDetails(&errdetails.ErrorInfo{Reason: "BUSY"})
	require.NoError(t, err)
	clients := NewClients()
	joinAnswering(t, clients, "a", func(request *rpcpb.Request) *rpcpb.Response { return failure(request.GetId(), failed.Err()) })
	_, err = clients.Call(t.Context(), "a", text("x"))
	require.Len(t, status.Convert(err).Details(), 1)
	assert.Equal(t, "BUSY", status.Convert(err).Details()[0].(*errdetails.ErrorInfo).GetReason())
}

func TestARequestThatCannotBeSent(t *testing.T) {
	clients := NewClients()
	joinAnswering(t, clients, "a", func(request *rpcpb.Request) *rpcpb.Response { return answer(request.GetId(), "") })
	for name, req := range map[string]proto.Message{"nil": nil, "not UTF-8": wrapperspb.String("\xff")} {
		t.Run(name, func(t *testing.T) {
			_, err := Call[durationpb.Duration](t.Context(), clients, "a", req)
			assert.Equal(t, codes.InvalidArgument, status.Code(err))
			_, err = CallAll[durationpb.Duration](t.Context(), clients, req)
			assert.Equal(t, codes.InvalidArgument, status.Code(err))
		})
	}
	_, err := clients.Call(t.Context(), "a", nil)
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	assert.Equal(t, codes.InvalidArgument, status.Code(clients.CallAll(t.Context(), nil)[0].Err))
}

func TestErrorsOfThisPackageCanBeMatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		_, err := clients.Call(t.Context(), "a", text("x"))
		assert.ErrorIs(t, err, ErrNotConnected)
		assert.NotErrorIs(t, err, ErrDisconnected)
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.Equal(t, `rpc: the client is not connected: "a"`, err.Error())

		_, responses := clients.Join("a", 1)
		call := callInBackground(t.Context(), clients, "a", "x")
		close(responses)
		err = (<-call.outcome).err
		assert.ErrorIs(t, err, ErrDisconnected)
		assert.Equal(t, codes.Unavailable, status.Code(err))

		_, responses = clients.Join("a", 1)
		defer close(responses)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = clients.Call(ctx, "a", text("x"))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))

		ctx, cancel = context.WithCancel(t.Context())
		call = callInBackground(ctx, clients, "a", "x")
		cancel()
		err = (<-call.outcome).err
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, codes.Canceled, status.Code(err))
	})
}

func TestCallAllCallsEveryClientAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients := NewClients()
		const count = 1000
		for i := range count {
			joinAnswering(t, clients, clientName(i), func(request *rpcpb.Request) *rpcpb.Response {
				if i == 500 {
					return nil // hangs
				}
				return answer(request.GetId(), clientName(i))
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		results := clients.CallAll(ctx, text("who are you?"))
		assert.Equal(t, 5*time.Second, time.Since(began), "one time limit for all")
		require.Len(t, results, count)
		for i, result := range results {
			require.Equal(t, clientName(i), result.Client)
			if i == 500 {
				assert.Equal(t, codes.DeadlineExceeded, status.Code(result.Err))
				assert.Nil(t, result.Success)
			} else {
				require.NoError(t, result.Err)
				require.Equal(t, clientName(i), string(result.Success))
			}
		}
	})
}

func TestCallAllOfNobodyIsEmpty(t *testing.T) {
	assert.Empty(t, NewClients().CallAll(t.Context(), text("x")))
}

func TestErrorsOfHandlersKeepTheirMeaning(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		code codes.Code
	}{
		"a status":                     {status.Error(codes.NotFound, "gone"), codes.NotFound},
		"a wrapped status":             {errors.Join(status.Error(codes.NotFound, "gone")), codes.NotFound},
		"a deadline":                   {context.DeadlineExceeded, codes.DeadlineExceeded},
		"a cancellation":               {context.Canceled, codes.Canceled},
		"another error":                {errors.New("broken"), codes.Unknown},
		"an error whose status is OK":  {okError{}, codes.Unknown},
		"an error of a call elsewhere": {ErrNotConnected, codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, row.code, statusOf(row.err).Code()) })
	}
}

type okError struct{}

func (okError) Error() string              { return "an error" }
func (okError) GRPCStatus() *status.Status { return status.New(codes.OK, "") }
