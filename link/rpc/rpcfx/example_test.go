package rpcfx_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"strings"

	"go.uber.org/fx"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcfx"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

func shout(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return wrapperspb.String(strings.ToUpper(req.GetValue())), nil
}

// newServer returns a gRPC server that serves while the application runs.
func newServer(lifecycle fx.Lifecycle, listener net.Listener) (*grpc.Server, grpc.ServiceRegistrar) {
	server := grpc.NewServer()
	lifecycle.Append(fx.StartStopHook(func() { go func() { _ = server.Serve(listener) }() }, server.GracefulStop))
	return server, server
}

// newConnection returns the service of that server.
func newConnection(lifecycle fx.Lifecycle, listener net.Listener) (rpcpb.CoordinatorClient, error) {
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	lifecycle.Append(fx.StopHook(conn.Close))
	return rpcpb.NewCoordinatorClient(conn), nil
}

// A server and a worker; here both are parts of one application.
func Example() {
	joined := make(chan string, 1)
	var clients *rpc.Clients
	app := fx.New(
		fx.NopLogger,
		fx.Provide(func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }),

		rpcfx.ServerModule,
		fx.Provide(newServer),
		fx.Supply([]rpc.ClientsOption{rpc.WithJoinFunc(func(name string) { joined <- name })}),
		fx.Populate(&clients),

		rpcfx.ClientModule,
		fx.Provide(newConnection),
		fx.Supply(rpcfx.ClientName("worker-1")),
		fx.Provide(rpcfx.AsFunction(func() rpcfx.Function { return rpcfx.NewFunction(shout) })),
	)
	if err := app.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	name := <-joined
	answer, err := rpc.Call[wrapperspb.StringValue](context.Background(), clients, name, wrapperspb.String("hello"))
	fmt.Println(name, "answers", answer.GetValue(), err)
	if err := app.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: worker-1 answers HELLO <nil>
}
