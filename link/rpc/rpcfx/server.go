package rpcfx

import (
	"context"

	"go.uber.org/fx"
	"google.golang.org/grpc"

	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// ServerModule registers a rpc.StreamServer with the application's grpc.ServiceRegistrar, which is most often its
// *grpc.Server, and provides the rpc.Clients that join. The application serves the gRPC server; it has to do so in a hook
// of its own, as a service can't be registered later. The connections end before the dependencies of the module stop,
// so that a GracefulStop of the gRPC server does not wait for them.
var ServerModule = fx.Module("link-rpc-server",
	fx.Provide(newClients, newStreamServer),
	fx.Invoke(registerServer),
)

type clientsParams struct {
	fx.In
	Options []rpc.ClientsOption `optional:"true"`
}

func newClients(params clientsParams) *rpc.Clients { return rpc.NewClients(params.Options...) }

type serverParams struct {
	fx.In
	Clients *rpc.Clients
	Options []rpc.StreamServerOption `optional:"true"`
}

func newStreamServer(params serverParams) *rpc.StreamServer {
	return rpc.NewStreamServer(params.Clients, params.Options...)
}

func registerServer(lifecycle fx.Lifecycle, registrar grpc.ServiceRegistrar, server *rpc.StreamServer) {
	rpcpb.RegisterCoordinatorServer(registrar, server)
	lifecycle.Append(fx.StopHook(func(ctx context.Context) error { return within(ctx, server.Stop) }))
}

// within calls a function that waits, and waits for it no longer than the context allows.
func within(ctx context.Context, stop func()) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
