package rpc

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestAnErrorWithBytesThatAreNotUTF8ReachesTheCaller(t *testing.T) {
	g := serve(t)
	g.start(t, "a", registryOf(t, func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		if req.GetValue() == "with a status" {
			return nil, status.Error(codes.NotFound, "no file \xff.txt")
		}
		return nil, errors.New("no file \xff.txt")
	}))
	_, err := g.clients.Call(t.Context(), "a", text("with a status"))
	assert.Equal(t, status.New(codes.NotFound, "no file \ufffd.txt").Err().Error(), err.Error())
	_, err = g.clients.Call(t.Context(), "a", text("without one"))
	assert.Equal(t, status.New(codes.Unknown, "no file \ufffd.txt").Err().Error(), err.Error())
	assert.Empty(t, g.ended, "the connection stayed")
}

func TestARequestWhoseTypeIsNotUTF8HarmsItsCallerAlone(t *testing.T) {
	g := serve(t)
	g.start(t, "a", registryOf(t, echo))
	request := &anypb.Any{TypeUrl: "type.googleapis.com/\xff"}
	_, err := g.clients.Call(t.Context(), "a", request)
	assert.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
	assert.Equal(t, codes.InvalidArgument, status.Code(g.clients.CallAll(t.Context(), request)[0].Err))
	_, err = g.clients.Call(t.Context(), "a", text("x"))
	assert.NoError(t, err)
	assert.Empty(t, g.ended, "the connection stayed")
}
