package inlinekeepalive

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
)

// messenger sends and receives messages, bare or through an interceptor.
type messenger interface {
	SendMsg(m any) error
	RecvMsg(m any) error
}

// messengers are a stub that does nothing, and the same stub through the interceptors of either side.
func messengers(t testing.TB, use func(name string, stream messenger)) {
	use("bare", &stub{})

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client, err := StreamClientInterceptor(WithInterval(time.Hour))(ctx, bidirectional, nil, "/s/m",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return &stub{}, nil
		})
	require.NoError(t, err)
	use("client", client)

	server := &serverStub{stub: &stub{}, ctx: metadata.NewIncomingContext(ctx, metadata.Pairs(MetadataKey, "true"))}
	require.NoError(t, StreamServerInterceptor(WithInterval(time.Hour))(nil, server, &grpc.StreamServerInfo{IsClientStream: true, IsServerStream: true},
		func(_ any, stream grpc.ServerStream) error { use("server", stream); return nil }))
}

func TestAMessageAllocatesNothingInTheInterceptors(t *testing.T) {
	message := &testpb.StreamingOutputCallRequest{Payload: payload("x")}
	messengers(t, func(name string, stream messenger) {
		assert.Zero(t, testing.AllocsPerRun(1000, func() {
			_ = stream.SendMsg(message)
			_ = stream.RecvMsg(message)
		}), name)
	})
}

// BenchmarkMessage sends and receives one message. The difference to "bare" is the cost of an interceptor.
func BenchmarkMessage(b *testing.B) {
	message := &testpb.StreamingOutputCallRequest{Payload: payload("x")}
	messengers(b, func(name string, stream messenger) {
		b.Run(name+"/send", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = stream.SendMsg(message)
			}
		})
		b.Run(name+"/receive", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = stream.RecvMsg(message)
			}
		})
	})
}
