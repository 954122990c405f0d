package rpc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// As the interceptor of inlinekeepalive does, where to authorize takes longer than half an interval.
func TestAClientIsServedWhoseHeaderWasSentBeforeItWasAuthorized(t *testing.T) {
	g := serve(t, WithAuthorize(func(ctx context.Context, _ string) error { return grpc.SendHeader(ctx, nil) }))
	g.start(t, "a", registryOf(t, echo))
	_, err := g.clients.Call(t.Context(), "a", text("x"))
	require.NoError(t, err)
	assert.Empty(t, g.ended, "the connection stayed")
}
