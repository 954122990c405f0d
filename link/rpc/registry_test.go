package rpc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func echo(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return req, nil
}

func TestOneFunctionForEachTypeOfRequest(t *testing.T) {
	registry := NewHandlerRegistry()
	require.NoError(t, RegisterFunction(registry, echo))
	assert.ErrorContains(t, RegisterFunction(registry, echo), "there is a function for google.protobuf.StringValue already")
	require.NoError(t, RegisterFunction(registry,
		func(_ context.Context, req *durationpb.Duration) (*durationpb.Duration, error) { return req, nil }))
}

func TestWhatCannotBeRegistered(t *testing.T) {
	registry := NewHandlerRegistry()
	var none func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
	assert.ErrorContains(t, RegisterFunction(registry, none), "is nil: pass a handler")
	anyMessage := func(_ context.Context, req proto.Message) (proto.Message, error) { return req, nil }
	assert.ErrorContains(t, RegisterFunction(registry, anyMessage), "use a pointer to a generated message")
}
