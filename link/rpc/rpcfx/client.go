package rpcfx

import (
	"context"

	"go.uber.org/fx"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// ClientName is the name that the client is called under. It must pass rpc.CheckName.
type ClientName string

// ClientModule connects the application as a client while it runs, and offers the functions that [AsFunction] provides. A
// client that the server has refused for good does not stop the application: *rpc.StreamClient has Done and Err.
var ClientModule = fx.Module("link-rpc-client",
	fx.Provide(newHandlerRegistry, newStreamClient),
	fx.Invoke(func(*rpc.StreamClient) {}), // nobody else need ask for it
)

// Function is a function that the client offers. Make one with [NewFunction].
type Function struct {
	register func(*rpc.HandlerRegistry) error
}

// NewFunction returns the function for requests of type Req, under the rules of rpc.RegisterFunction. An error of
// that, such as for a second function for one type, keeps the application from starting.
func NewFunction[Req, Resp proto.Message](handler func(context.Context, Req) (Resp, error)) Function {
	return Function{func(registry *rpc.HandlerRegistry) error { return rpc.RegisterFunction(registry, handler) }}
}

// AsFunction annotates a constructor that returns a [Function], so that fx.Provide adds it to those that the client
// offers:
//
//	fx.Provide(rpcfx.AsFunction(func(store *Store) rpcfx.Function { return rpcfx.NewFunction(store.Get) }))
func AsFunction(constructor any) any {
	return fx.Annotate(constructor, fx.ResultTags(`group:"link-rpc-functions"`))
}

type registryParams struct {
	fx.In
	Functions []Function `group:"link-rpc-functions"`
}

func newHandlerRegistry(params registryParams) (*rpc.HandlerRegistry, error) {
	registry := rpc.NewHandlerRegistry()
	for _, function := range params.Functions {
		if err := function.register(registry); err != nil {
			return nil, err
		}
	}
	return registry, nil
}

type clientParams struct {
	fx.In
	Lifecycle fx.Lifecycle
	Name      ClientName
	Registry  *rpc.HandlerRegistry
	Client    rpcpb.CoordinatorClient
	Options   []rpc.StreamClientOption `optional:"true"`
}

func newStreamClient(params clientParams) (*rpc.StreamClient, error) {
	if err := rpc.CheckName(string(params.Name)); err != nil {
		return nil, err
	}
	client := rpc.NewStreamClient(string(params.Name), params.Registry, params.Client, params.Options...)
	params.Lifecycle.Append(fx.StartStopHook(client.Start, func(ctx context.Context) error { return within(ctx, client.Stop) }))
	return client, nil
}
