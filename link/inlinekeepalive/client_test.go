package inlinekeepalive

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

func TestNoKeepaliveWhileMessagesFlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers())
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		for range 10 {
			sleep(29 * time.Second)
			require.NoError(t, stream.Send(duplex("x")))
			_, err := stream.Recv()
			require.NoError(t, err)
		}
		assert.Empty(t, r.atServer.arrived())
		assert.Empty(t, r.atClient.arrived())

		// The interval counts from the last message.
		sleep(30 * time.Second)
		assert.Equal(t, []float64{320}, r.atServer.arrived())
		require.NoError(t, stream.CloseSend())
		for err == nil {
			_, err = stream.Recv()
		}
	})
}

func TestNoKeepaliveAfterCloseSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers())
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		sleep(31 * time.Second)
		require.NoError(t, stream.CloseSend())
		require.NoError(t, stream.CloseSend(), "twice")
		sleep(5 * time.Minute)
		assert.Equal(t, []float64{30}, r.atServer.arrived())
		_, err = stream.Recv()
		assert.Equal(t, io.EOF, err)
	})
}

func TestTheIntervalIsAnOption(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers(WithInterval(2*time.Second)))
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		go stream.Recv() // a keepalive arrives when the application reads
		sleep(7 * time.Second)
		assert.Equal(t, []float64{2, 4, 6}, r.atServer.arrived())
		assert.Equal(t, []float64{2, 4, 6}, r.atClient.arrived())
		require.NoError(t, stream.CloseSend())
	})
	assert.Equal(t, 30*time.Second, newConfig([]Option{WithInterval(0)}).interval)
}

// The server's header has to come first, so that the interval of the first second is longer.
func TestAShortIntervalWaitsForTheHeader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers(WithInterval(100*time.Millisecond)))
		stream, err := r.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		go stream.Recv()
		sleep(1*time.Second - 1)
		assert.Empty(t, r.atServer.arrived())
		assert.Empty(t, r.atClient.arrived())
		sleep(51 * time.Millisecond)
		assert.Len(t, r.atServer.arrived(), 1)
		assert.Len(t, r.atClient.arrived(), 1)
		require.NoError(t, stream.CloseSend())
	})
}

// checks is a feature check that answers in turn, and then repeats the last answer.
type checks struct {
	answers []error // nil: the feature is there
	asked   atomic.Int32
}

var errNoFeature = errors.New("no feature")

func (c *checks) check(ctx context.Context, conn grpc.ClientConnInterface) (bool, error) {
	n := int(c.asked.Add(1)) - 1
	answer := c.answers[min(n, len(c.answers)-1)]
	if errors.Is(answer, errNoFeature) {
		return false, nil
	}
	return answer == nil, answer
}

func TestTheClientSendsOnlyToServersWithTheFeature(t *testing.T) {
	unknown := status.Error(codes.Unavailable, "ask later")
	for name, row := range map[string]struct {
		answers   []error
		want      []float64
		wantAsked int32
	}{
		"it has it":                   {[]error{nil}, []float64{30, 60, 90, 120}, 1},
		"it has it not":               {[]error{errNoFeature}, []float64{}, 1},
		"unknown, then it has it":     {[]error{unknown, unknown, nil}, []float64{75, 105}, 3},
		"unknown, then it has it not": {[]error{unknown, errNoFeature}, []float64{}, 2},
		"never known":                 {[]error{unknown}, []float64{}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := &checks{answers: row.answers}
				r := startRig(t, newPeers(WithFeatureCheck(c.check)))
				stream, err := r.client.FullDuplexCall(t.Context())
				require.NoError(t, err)
				sleep(2 * time.Minute)
				assert.Equal(t, row.want, r.atServer.arrived())
				assert.Equal(t, row.wantAsked, c.asked.Load())
				assert.NoError(t, stream.CloseSend())
			})
		})
	}
}

func TestTheFeatureIsAskedForOnlyWhenNeeded(t *testing.T) {
	for name, row := range map[string]struct {
		peers []rigOption
		busy  bool // a message each second
		want  int
	}{
		"idle stream":              {[]rigOption{newPeers()}, false, 1},
		"busy stream":              {[]rigOption{newPeers()}, true, 0},
		"server that has not said": {[]rigOption{newClient()}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, row.peers...)
				stream, err := r.client.StreamingInputCall(t.Context())
				require.NoError(t, err)
				for range 120 {
					sleep(time.Second)
					if row.busy {
						require.NoError(t, stream.Send(input("x")))
					}
				}
				assert.Equal(t, row.want, r.atServer.checks())
				_, err = stream.CloseAndRecv()
				require.NoError(t, err)
			})
		})
	}
}

func TestTheCheckHasTheStreamsMetadataAndIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began, asked := time.Now(), make(chan time.Duration, 9)
		r := startRig(t, newPeers(WithFeatureCheck(func(ctx context.Context, conn grpc.ClientConnInterface) (bool, error) {
			asked <- time.Since(began)
			md, _ := metadata.FromOutgoingContext(ctx)
			assert.Equal(t, metadata.MD{"authorization": {"key"}}, md)
			assert.NotNil(t, conn)
			<-ctx.Done() // it hangs
			return false, ctx.Err()
		})))
		stream, err := r.client.FullDuplexCall(metadata.AppendToOutgoingContext(t.Context(), "authorization", "key"))
		require.NoError(t, err)
		sleep(20 * time.Second)
		assert.Equal(t, 15*time.Second, <-asked)

		// The stream does not wait for it.
		require.NoError(t, stream.Send(duplex("x")))
		_, err = stream.Recv()
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second, time.Since(began))

		sleep(40 * time.Second) // 10 s later it is given up, and repeated after an interval
		assert.Equal(t, 55*time.Second, <-asked)
		require.NoError(t, stream.CloseSend())
		sleep(0)
		assert.Zero(t, keepaliveGoroutines(), "the check outlives the stream")
	})
}

func TestAConnectionThatIsRedialledToAnOlderServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var listener atomic.Pointer[bufconn.Listener]
		serve := func(options ...grpc.ServerOption) (*grpc.Server, *tap) {
			at := newTap()
			l := bufconn.Listen(1 << 20)
			listener.Store(l)
			server := grpc.NewServer(append(options, grpc.StatsHandler(at))...)
			testpb.RegisterTestServiceServer(server, &echo{early: true})
			go server.Serve(l)
			return server, at
		}
		conn, err := grpc.NewClient("passthrough:///rig",
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithStreamInterceptor(StreamClientInterceptor(WithFeatureCheck((&checks{answers: []error{nil}}).check))),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.Load().DialContext(ctx) }))
		require.NoError(t, err)
		defer conn.Close()
		client := testpb.NewTestServiceClient(conn)

		server, at := serve(grpc.StreamInterceptor(StreamServerInterceptor()))
		stream, err := client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		sleep(45 * time.Second)
		assert.Len(t, at.arrived(), 1)
		server.Stop()
		_, err = stream.Recv()
		assert.Equal(t, codes.Unavailable, status.Code(err))

		server, at = serve()
		defer server.Stop()
		stream, err = client.FullDuplexCall(t.Context(), grpc.WaitForReady(true))
		require.NoError(t, err)
		sleep(10 * time.Minute)
		assert.Empty(t, at.arrived(), "sent to a server that does not know it")
		require.NoError(t, stream.CloseSend())
	})
}

func TestTheGoroutineEndsWithTheStream(t *testing.T) {
	type kind = grpc.BidiStreamingClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]
	for name, end := range map[string]func(t *testing.T, r *rig, stream kind, cancel context.CancelFunc){
		"the answer comes": func(t *testing.T, r *rig, stream kind, _ context.CancelFunc) {
			require.NoError(t, stream.CloseSend())
			_, err := stream.Recv()
			assert.Equal(t, io.EOF, err)
		},
		"the context is cancelled": func(_ *testing.T, _ *rig, _ kind, cancel context.CancelFunc) { cancel() },
		"the deadline passes":      func(*testing.T, *rig, kind, context.CancelFunc) { sleep(time.Hour) },
		"the connection is closed": func(_ *testing.T, r *rig, _ kind, _ context.CancelFunc) { r.conn.Close() },
		"the server stops": func(t *testing.T, r *rig, stream kind, _ context.CancelFunc) {
			r.server.Stop()
			_, err := stream.Recv()
			assert.Error(t, err)
		},
		"SendMsg fails": func(t *testing.T, r *rig, stream kind, _ context.CancelFunc) {
			assert.Error(t, stream.SendMsg("no message"))
		},
	} {
		for phase, options := range map[string][]Option{
			"waits for the header": nil,
			"asks for the feature": {WithFeatureCheck(func(ctx context.Context, _ grpc.ClientConnInterface) (bool, error) {
				<-ctx.Done()
				return false, ctx.Err()
			})},
			"sends": nil,
		} {
			t.Run(name+"/"+phase, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					r := startRig(t, newPeers(options...))
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					stream, err := r.client.FullDuplexCall(ctx)
					require.NoError(t, err)
					before := map[string]time.Duration{
						"waits for the header": time.Second, "asks for the feature": 16 * time.Second, "sends": time.Minute,
					}[phase]
					sleep(before)
					require.Equal(t, 2, keepaliveGoroutines(), "one on each side")
					end(t, r, stream, cancel)
					synctest.Wait()
					assert.Zero(t, keepaliveGoroutines())
				})
			})
		}
	}
}

func TestAStreamOfOneRequestAndOneAnswerIsUntouched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		inner := &stub{}
		streamer := func(ctx context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			md, _ := metadata.FromOutgoingContext(ctx)
			assert.Empty(t, md)
			assert.Empty(t, opts)
			return inner, nil
		}
		got, err := StreamClientInterceptor()(t.Context(), &grpc.StreamDesc{}, nil, "/s/m", streamer)
		require.NoError(t, err)
		assert.Same(t, inner, got)

		onServer := &serverStub{stub: &stub{}, ctx: metadata.NewIncomingContext(t.Context(), metadata.Pairs(MetadataKey, "true"))}
		err = StreamServerInterceptor()(nil, onServer, &grpc.StreamServerInfo{}, func(_ any, got grpc.ServerStream) error {
			assert.Same(t, onServer, got)
			assert.Zero(t, keepaliveGoroutines())
			return nil
		})
		require.NoError(t, err)
	})
}

func TestAStreamThatCannotBeOpened(t *testing.T) {
	broken := errors.New("broken")
	for name, desc := range map[string]*grpc.StreamDesc{
		"client-streaming": {ClientStreams: true}, "server-streaming": {ServerStreams: true},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := StreamClientInterceptor()(t.Context(), desc, nil, "/s/m",
				func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
					return nil, broken
				})
			assert.Nil(t, stream)
			assert.Equal(t, broken, err)
		})
	}
}

func TestOnlyTheProtobufCodecHasKeepalives(t *testing.T) {
	for name, row := range map[string]struct {
		opts []grpc.CallOption
		want bool
	}{
		"default":             {nil, true},
		"proto by name":       {[]grpc.CallOption{grpc.CallContentSubtype("proto")}, true},
		"json by name":        {[]grpc.CallOption{grpc.CallContentSubtype("json")}, false},
		"forced codec":        {[]grpc.CallOption{grpc.ForceCodec(rawCodec{})}, false},
		"another option":      {[]grpc.CallOption{grpc.WaitForReady(true)}, true},
		"the last one counts": {[]grpc.CallOption{grpc.CallContentSubtype("json"), grpc.CallContentSubtype("proto")}, true},
	} {
		assert.Equal(t, row.want, usesProto(row.opts), name)
	}
	for contentType, want := range map[string]bool{
		"application/grpc": true, "application/grpc+proto": true, "application/grpc;x": true, "application/grpc+json": false,
	} {
		assert.Equal(t, want, isProto(metadata.Pairs("content-type", contentType)), contentType)
	}
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers(), func(r *rig) {
			r.serverOpts = append(r.serverOpts, grpc.ForceServerCodec(rawCodec{}))
		})
		stream, err := r.conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true},
			testpb.TestService_FullDuplexCall_FullMethodName, grpc.ForceCodec(rawCodec{}))
		require.NoError(t, err)
		sleep(10 * time.Minute)
		assert.Zero(t, keepaliveGoroutines())
		require.NoError(t, stream.CloseSend())
	})
}

// rawCodec is a codec that is not protobuf's.
type rawCodec struct{}

func (rawCodec) Name() string                       { return "raw" }
func (rawCodec) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { return nil }
