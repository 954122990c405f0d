package rpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// ExactMessage is the type of a generated message whose pointer implements proto.Message. It lets [Call] make a new
// response: in Call[durationpb.Duration](...) the compiler infers *durationpb.Duration.
type ExactMessage[T any] interface {
	*T
	proto.Message
}

// Result is the outcome of a call to one of several clients.
type Result[Resp any] struct {
	Client  string // the client's name
	Success Resp   // the answer; the zero value if Err is not nil
	Err     error  // as Call returns it
}

// RawResult is a [Result] whose answer is not decoded.
type RawResult = Result[[]byte]

// Call calls a function of one client and returns its encoded answer. The type of req chooses the function. It waits as
// long as ctx allows, and returns ErrNotConnected at once if there is no such client; the package's documentation lists
// the other errors. req must not be changed afterwards, not even when Call has returned.
func (c *Clients) Call(ctx context.Context, name string, req *anypb.Any) ([]byte, error) {
	if req == nil {
		return nil, errNoRequest
	}
	conn := c.find(name)
	if conn == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotConnected, name)
	}
	return conn.start(ctx, req).wait(ctx)
}

// CallAll calls a function of every client that is connected at this moment, all at once. It returns when each has
// answered or failed, at the latest when ctx ends. There is one result for each client, sorted by name.
// req must not be changed afterwards.
func (c *Clients) CallAll(ctx context.Context, req *anypb.Any) []RawResult {
	connections := c.all()
	results := make([]RawResult, len(connections))
	calls := make([]*call, len(connections))
	for i, conn := range connections {
		results[i].Client = conn.name
		if req == nil {
			results[i].Err = errNoRequest
		} else {
			calls[i] = conn.start(ctx, req)
		}
	}
	for i, call := range calls {
		if call != nil {
			results[i].Success, results[i].Err = call.wait(ctx)
		}
	}
	return results
}

// Call calls a function of one client, like [Clients.Call], and decodes its answer. An answer that is no RespValue is an
// error with the code Internal.
func Call[RespValue any, Resp ExactMessage[RespValue]](
	ctx context.Context, clients *Clients, name string, req proto.Message,
) (*RespValue, error) {
	packed, err := pack(req)
	if err != nil {
		return nil, err
	}
	payload, err := clients.Call(ctx, name, packed)
	if err != nil {
		return nil, err
	}
	return decode[RespValue, Resp](name, payload)
}

// CallAll calls a function of every client, like [Clients.CallAll], and decodes the answers. The error is not nil only if
// req could not be encoded; nothing was sent then.
func CallAll[RespValue any, Resp ExactMessage[RespValue]](
	ctx context.Context, clients *Clients, req proto.Message,
) ([]Result[*RespValue], error) {
	packed, err := pack(req)
	if err != nil {
		return nil, err
	}
	raw := clients.CallAll(ctx, packed)
	results := make([]Result[*RespValue], len(raw))
	for i, result := range raw {
		results[i] = Result[*RespValue]{Client: result.Client, Err: result.Err}
		if result.Err == nil {
			results[i].Success, results[i].Err = decode[RespValue, Resp](result.Client, result.Success)
		}
	}
	return results, nil
}

var errNoRequest = status.Error(codes.InvalidArgument, "rpc: the request is nil: pass a message")

func pack(req proto.Message) (*anypb.Any, error) {
	if req == nil {
		return nil, errNoRequest
	}
	packed, err := anypb.New(req)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "rpc: the request could not be encoded: %v", err)
	}
	return packed, nil
}

func decode[RespValue any, Resp ExactMessage[RespValue]](name string, payload []byte) (*RespValue, error) {
	value := new(RespValue)
	if err := proto.Unmarshal(payload, Resp(value)); err != nil {
		return nil, status.Errorf(codes.Internal, "rpc: the answer of client %q is no %s: %v",
			name, Resp(value).ProtoReflect().Descriptor().FullName(), err)
	}
	return value, nil
}
