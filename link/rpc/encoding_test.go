package rpc

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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
