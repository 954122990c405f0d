// Package wsmux runs gRPC's interoperability cases over gRPC over yamux over a WebSocket.
package wsmux

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/relayconf/relayconf/link/wsmux"
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
	for name, clientDials := range map[string]bool{"the client dials": true, "the server dials": false} {
		t.Run(name, func(t *testing.T) {
			client := connect(t, clientDials)
			for name, run := range cases {
				t.Run(name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					run(ctx, client)
				})
			}
		})
	}
}

// connect makes a client and the server of the cases at either end of a WebSocket.
func connect(t *testing.T, clientDials bool) *grpc.ClientConn {
	t.Helper()
	upgraded := make(chan *websocket.Conn, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			upgraded <- conn
		}
	}))
	t.Cleanup(web.Close)
	near, _, err := websocket.DefaultDialer.Dial(strings.Replace(web.URL, "http", "ws", 1), nil)
	require.NoError(t, err)
	far := <-upgraded
	if !clientDials {
		near, far = far, near
	}
	server, _, err := wsmux.ServeGRPC(far, func(server *grpc.Server) {
		pb.RegisterTestServiceServer(server, interop.NewTestServer())
	})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	client, session, err := wsmux.DialGRPC(near)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return client
}
