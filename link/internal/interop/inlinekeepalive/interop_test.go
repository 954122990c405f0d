// Package inlinekeepalive runs gRPC's interoperability cases with keepalives every millisecond on both sides.
package inlinekeepalive

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/link/inlinekeepalive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cases are those that need no account of a cloud, no second server and no balancer. Each ends the program if it fails.
var cases = map[string]func(context.Context, *grpc.ClientConn){
	"empty_unary":                 service(interop.DoEmptyUnaryCall),
	"large_unary":                 service(interop.DoLargeUnaryCall),
	"client_streaming":            service(interop.DoClientStreaming),
	"server_streaming":            service(interop.DoServerStreaming),
	"ping_pong":                   service(interop.DoPingPong),
	"empty_stream":                service(interop.DoEmptyStream),
	"timeout_on_sleeping_server":  service(interop.DoTimeoutOnSleepingServer),
	"cancel_after_begin":          service(interop.DoCancelAfterBegin),
	"cancel_after_first_response": service(interop.DoCancelAfterFirstResponse),
	"custom_metadata":             service(interop.DoCustomMetadata),
	"status_code_and_message":     service(interop.DoStatusCodeAndMessage),
	"special_status_message":      service(interop.DoSpecialStatusMessage),
	"unimplemented_method":        interop.DoUnimplementedMethod,
	"unimplemented_service": func(ctx context.Context, conn *grpc.ClientConn) {
		interop.DoUnimplementedService(ctx, pb.NewUnimplementedServiceClient(conn))
	},
}

// service is a case over the client of the test service.
func service(run func(context.Context, pb.TestServiceClient, ...grpc.CallOption)) func(context.Context, *grpc.ClientConn) {
	return func(ctx context.Context, conn *grpc.ClientConn) { run(ctx, pb.NewTestServiceClient(conn)) }
}

func TestGRPCInteroperability(t *testing.T) {
	atServer, atClient := &counter{}, &counter{}
	conn := connect(t, atServer, atClient)
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			run(ctx, conn)
		})
	}
	t.Run("with keepalives", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for atServer.keepalives.Load() < 20 || atClient.keepalives.Load() < 20 {
			require.NoError(t, ctx.Err(), "no keepalives were sent")
			cases["ping_pong"](ctx, conn)
			cases["server_streaming"](ctx, conn)
		}
	})
}

func connect(t *testing.T, atServer, atClient *counter) *grpc.ClientConn {
	t.Helper()
	each := inlinekeepalive.WithInterval(time.Millisecond)
	server := grpc.NewServer(grpc.StatsHandler(atServer), grpc.ChainStreamInterceptor(inlinekeepalive.StreamServerInterceptor(each),
		func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			return handler(srv, &slowServer{stream})
		}))
	pb.RegisterTestServiceServer(server, interop.NewTestServer())
	inlinekeepalive.RegisterVersionInfo(server, "interop", "1")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(atClient), grpc.WithChainStreamInterceptor(
			func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
				stream, err := streamer(ctx, desc, cc, method, opts...)
				if err != nil {
					return nil, err
				}
				return &slowClient{stream}, nil
			}, inlinekeepalive.StreamClientInterceptor(each)))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		require.NoError(t, <-served)
	})
	return conn
}

// pace is the time between two messages of the cases, so that there is room for keepalives.
const pace = 3 * time.Millisecond

type slowServer struct{ grpc.ServerStream }

func (s *slowServer) SendMsg(m any) error {
	time.Sleep(pace)
	return s.ServerStream.SendMsg(m)
}

type slowClient struct{ grpc.ClientStream }

func (s *slowClient) SendMsg(m any) error {
	time.Sleep(pace)
	return s.ClientStream.SendMsg(m)
}

// counter counts the keepalives that arrive at one end.
type counter struct{ keepalives atomic.Int64 }

func (*counter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*counter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*counter) HandleConn(context.Context, stats.ConnStats)                       {}

func (c *counter) HandleRPC(_ context.Context, event stats.RPCStats) {
	if in, ok := event.(*stats.InPayload); ok {
		if message, ok := in.Payload.(proto.Message); ok && inlinekeepalive.IsKeepalive(message) {
			c.keepalives.Add(1)
		}
	}
}
