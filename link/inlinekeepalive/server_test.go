package inlinekeepalive

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// duplexService is a service whose bidirectional handler is the test's.
type duplexService struct {
	testpb.UnimplementedTestServiceServer
	handler func(duplexServer) error
}

type duplexServer = grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]

func (s *duplexService) FullDuplexCall(stream duplexServer) error { return s.handler(stream) }

func handledBy(handler func(duplexServer) error) rigOption {
	return func(r *rig) { r.implementation = &duplexService{handler: handler} }
}

func TestTheHandlersHeader(t *testing.T) {
	own := metadata.Pairs("own", "1")
	for name, row := range map[string]struct {
		handler func(duplexServer) error
		own     []string // in the header that the client gets
		says    []string
		after   time.Duration // it arrives
	}{
		"SendHeader": {func(s duplexServer) error { _ = s.SendHeader(own); <-s.Context().Done(); return nil },
			[]string{"1"}, []string{"true"}, 0},
		"SetHeader and a message": {func(s duplexServer) error {
			_ = s.SetHeader(own)
			_ = s.Send(output("x"))
			<-s.Context().Done()
			return nil
		}, []string{"1"}, []string{"true"}, 0},
		"grpc.SetHeader and a message": {func(s duplexServer) error {
			_ = grpc.SetHeader(s.Context(), own)
			_ = s.Send(output("x"))
			<-s.Context().Done()
			return nil
		}, []string{"1"}, []string{"true"}, 0},
		"SetHeader, and then idle": {func(s duplexServer) error { _ = s.SetHeader(own); <-s.Context().Done(); return nil },
			[]string{"1"}, []string{"true"}, 15 * time.Second},
		"grpc.SetHeader, and then idle": {func(s duplexServer) error { _ = grpc.SetHeader(s.Context(), own); <-s.Context().Done(); return nil },
			[]string{"1"}, []string{"true"}, 15 * time.Second},
		"none, idle in Recv": {func(s duplexServer) error { _, _ = s.Recv(); return nil },
			nil, []string{"true"}, 15 * time.Second},
		"none, idle elsewhere": {func(s duplexServer) error { <-s.Context().Done(); return nil },
			nil, []string{"true"}, 15 * time.Second},
		"grpc.SendHeader after Recv": {func(s duplexServer) error {
			_, _ = s.Recv()
			_ = grpc.SendHeader(s.Context(), own)
			<-s.Context().Done()
			return nil
		}, []string{"1"}, []string{"true"}, 0},
		"grpc.SendHeader first": {func(s duplexServer) error { _ = grpc.SendHeader(s.Context(), own); <-s.Context().Done(); return nil },
			[]string{"1"}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, newPeers(), handledBy(row.handler))
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stream, err := r.client.FullDuplexCall(ctx)
				require.NoError(t, err)
				if name == "grpc.SendHeader after Recv" {
					require.NoError(t, stream.Send(duplex("x")))
				}
				header, err := stream.Header()
				require.NoError(t, err)
				assert.Equal(t, row.after, time.Since(began))
				assert.Equal(t, row.own, header.Get("own"))
				assert.Equal(t, row.says, header.Get(MetadataKey))
			})
		})
	}
}

func TestAnOldClientsHeaderHasNoAnnouncement(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newServer())
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(duplex("x")))
		header, err := stream.Header()
		require.NoError(t, err)
		assert.Empty(t, header.Get(MetadataKey))
		require.NoError(t, stream.CloseSend())
	})
}

// There the client sends one request, so that it has nothing to know.
func TestTheHeaderOfAServerStreamHasNoAnnouncement(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers())
		stream, err := r.client.StreamingOutputCall(t.Context(), duplex(""))
		require.NoError(t, err)
		header, err := stream.Header()
		require.NoError(t, err)
		assert.Empty(t, header.Get(MetadataKey))
	})
}

func TestARefusedStreamHasNoHeader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers(), func(r *rig) {
			r.serverOpts = append(r.serverOpts, grpc.ChainStreamInterceptor(
				func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
					return status.Error(codes.Unavailable, "draining")
				}))
		})
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		header, err := stream.Header()
		require.NoError(t, err)
		assert.Empty(t, header, "not an answer of trailers only")
		_, err = stream.Recv()
		assert.Equal(t, codes.Unavailable, status.Code(err))
	})
}

// With a retry policy, gRPC tries a refused stream again, which asking for its header must not prevent. In real
// time: gRPC holds a mutex while it waits to retry, and that is no waiting to testing/synctest.
func TestARefusedStreamIsRetried(t *testing.T) {
	var refused atomic.Bool
	r := startRig(t, newPeers(), func(r *rig) {
		r.serverOpts = append(r.serverOpts, grpc.ChainStreamInterceptor(
			func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
				if refused.CompareAndSwap(false, true) {
					return status.Error(codes.Unavailable, "draining")
				}
				return handler(srv, stream)
			}))
		r.clientOpts = append(r.clientOpts, grpc.WithDefaultServiceConfig(`{"methodConfig":[{"name":[{}],"retryPolicy":
				{"maxAttempts":3,"initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`))
	})
	stream, err := r.client.FullDuplexCall(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(duplex("x")))
	message, err := stream.Recv()
	require.NoError(t, err)
	assert.Equal(t, "x", string(message.GetPayload().GetBody()))
	assert.True(t, refused.Load())
	require.NoError(t, stream.CloseSend())
}

func TestTheHandlerDoesNotSeeTheAnnouncement(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := make(chan metadata.MD, 1)
		r := startRig(t, newPeers(), handledBy(func(stream duplexServer) error {
			md, _ := metadata.FromIncomingContext(stream.Context())
			seen <- md
			return nil
		}))
		stream, err := r.client.FullDuplexCall(metadata.AppendToOutgoingContext(t.Context(), "own", "1"))
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Error(t, err)
		md := <-seen
		assert.Equal(t, []string{"1"}, md.Get("own"))
		assert.Empty(t, md.Get(MetadataKey))
	})
}

func TestTheServersGoroutineEndsWithTheHandler(t *testing.T) {
	for name, row := range map[string]struct {
		handler func(duplexServer) error
		code    codes.Code
	}{
		"it returns":          {func(duplexServer) error { return nil }, codes.OK},
		"it returns later":    {func(duplexServer) error { time.Sleep(5 * time.Minute); return nil }, codes.OK},
		"it returns an error": {func(duplexServer) error { return status.Error(codes.Aborted, "no") }, codes.Aborted},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, newPeers(), handledBy(row.handler))
				stream, err := r.client.FullDuplexCall(t.Context())
				require.NoError(t, err)
				for err == nil {
					_, err = stream.Recv()
				}
				if row.code != codes.OK {
					assert.Equal(t, row.code, status.Code(err))
				}
				sleep(0)
				assert.Zero(t, keepaliveGoroutines())
			})
		})
	}
	t.Run("it panics", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			stream := &serverStub{stub: &stub{}, ctx: metadata.NewIncomingContext(t.Context(), metadata.Pairs(MetadataKey, "true"))}
			assert.Panics(t, func() {
				_ = StreamServerInterceptor()(nil, stream, &grpc.StreamServerInfo{IsServerStream: true},
					func(any, grpc.ServerStream) error { panic("handler") })
			})
			assert.Zero(t, keepaliveGoroutines())
		})
	})
}

func TestVersionInfo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t)
		ok, err := hasFeature(t.Context(), r.conn)
		require.NoError(t, err)
		assert.True(t, ok)

		r = startRig(t, func(r *rig) { r.withoutVersionInfo = true })
		ok, err = hasFeature(t.Context(), r.conn)
		require.NoError(t, err, "a server without the call has no features")
		assert.False(t, ok)

		r.conn.Close()
		_, err = hasFeature(t.Context(), r.conn)
		assert.Error(t, err)
	})
}
