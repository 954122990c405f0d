package inlinekeepalive

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// An interceptor under this package's may drop the call option that tells of the end.
func TestTheGoroutineEndsWithTheStreamAlsoWithoutOnFinish(t *testing.T) {
	bubble(t, func(t *testing.T) {
		withoutOptions := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
			streamer grpc.Streamer, _ ...grpc.CallOption) (grpc.ClientStream, error) {
			return streamer(ctx, desc, cc, method)
		}
		r := startRig(t, newPeers(), func(r *rig) {
			r.clientOpts = append(r.clientOpts, grpc.WithChainStreamInterceptor(withoutOptions))
		}, handledBy(func(stream duplexServer) error {
			_, err := stream.Recv()
			return err
		}))
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		sleep(defaultInterval + defaultInterval/2) // it has sent a keepalive
		assert.Equal(t, 2, keepaliveGoroutines(), "one on each side")
		require.NoError(t, stream.Send(duplex("x")))
		_, err = stream.Recv()
		assert.Equal(t, io.EOF, err)
		synctest.Wait()
		assert.Zero(t, keepaliveGoroutines())
	})
}
