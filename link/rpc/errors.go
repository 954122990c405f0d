package rpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// Errors of calls, matched with errors.Is. Both have the code Unavailable, like any that is worth another try.
var (
	// ErrNotConnected is returned at once by a call to a client that is not connected. Nothing was sent.
	ErrNotConnected error = &codeError{code: codes.Unavailable, text: "rpc: the client is not connected"}

	// ErrDisconnected is returned by a call whose client's connection ended before the answer came, or was replaced by a
	// newer one under the same name. The function may have run.
	ErrDisconnected error = &codeError{code: codes.Unavailable, text: "rpc: the client's connection ended before it answered"}
)

// codeError is an error with a gRPC status code and, if it has a cause, the identity of that.
type codeError struct {
	code  codes.Code
	text  string
	cause error
}

func (e *codeError) Error() string { return e.text }

// GRPCStatus makes the status package see the code.
func (e *codeError) GRPCStatus() *status.Status { return status.New(e.code, e.text) }

func (e *codeError) Unwrap() error { return e.cause }

// contextError is the error of a caller that has given up.
func contextError(ctx context.Context, name string) error {
	cause := ctx.Err()
	text := fmt.Sprintf("rpc: the caller gave up before client %q answered: %v", name, cause)
	return &codeError{code: status.FromContextError(cause).Code(), text: text, cause: cause}
}

// outcomeOf returns the payload or the error that a response carries.
func outcomeOf(name string, response *rpcpb.Response) ([]byte, error) {
	switch outcome := response.GetOutcome().(type) {
	case *rpcpb.Response_Payload:
		return outcome.Payload, nil
	case *rpcpb.Response_Error:
		if err := status.ErrorProto(outcome.Error); err != nil {
			return nil, err
		}
		return nil, status.Errorf(codes.Internal, "rpc: client %q answered with an error whose code is OK", name)
	default:
		return nil, status.Errorf(codes.Internal, "rpc: client %q answered with neither a payload nor an error", name)
	}
}

// statusOf returns the status that a handler's error reaches its caller with. Errors of a context keep their meaning;
// others without a code get Unknown.
func statusOf(err error) *status.Status {
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return s
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err)
	}
	return status.New(codes.Unknown, err.Error())
}
