package inlinekeepalive_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/relayconf/relayconf/link/inlinekeepalive"
	"github.com/relayconf/relayconf/link/inlinekeepalive/inlinekeepalivepb"
)

// A server and a client whose idle streams stay alive. The stream is that of gRPC's health service, which sends rarely.
func Example() {
	// The server: the interceptor, and GetVersionInfo, so that clients know that they may send keepalives.
	server := grpc.NewServer(grpc.ChainStreamInterceptor(inlinekeepalive.StreamServerInterceptor()))
	inlinekeepalive.RegisterVersionInfo(server, "example", "1.0.0")
	checker := health.NewServer()
	healthpb.RegisterHealthServer(server, checker)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go server.Serve(listener)
	defer server.Stop()

	// The client. The load balancer between them cuts streams that are idle for 20 s.
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainStreamInterceptor(inlinekeepalive.StreamClientInterceptor(inlinekeepalive.WithInterval(10*time.Second))))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	stream, err := healthpb.NewHealthClient(conn).Watch(context.Background(), &healthpb.HealthCheckRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		answer, err := stream.Recv() // never a keepalive
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(answer.GetStatus())
		checker.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
	// Output:
	// SERVING
	// NOT_SERVING
}

// A server that lists its features in a call of its own.
func ExampleWithFeatureCheck() {
	ask := func(ctx context.Context, conn grpc.ClientConnInterface) (bool, error) {
		var features inlinekeepalivepb.GetVersionInfoResponse // a message of your own
		err := conn.Invoke(ctx, "/example.Server/GetFeatures", &emptypb.Empty{}, &features)
		for _, feature := range features.GetFeatures() {
			if feature == inlinekeepalive.Feature {
				return true, nil
			}
		}
		return false, err
	}
	conn, err := grpc.NewClient("localhost:1",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainStreamInterceptor(inlinekeepalive.StreamClientInterceptor(inlinekeepalive.WithFeatureCheck(ask))))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conn.Close())
	// Output: <nil>
}

// A keepalive is recognised whatever type it was decoded as. A proxy that logs messages may want to leave them out.
func ExampleIsKeepalive() {
	keepalive, err := proto.Marshal(&inlinekeepalivepb.Keepalive{Signature: "relayconf inline keepalive 1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	message := &healthpb.HealthCheckResponse{}
	if err := proto.Unmarshal(keepalive, message); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(inlinekeepalive.IsKeepalive(message))

	message = &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}
	fmt.Println(inlinekeepalive.IsKeepalive(message))
	// Output:
	// true
	// false
}
