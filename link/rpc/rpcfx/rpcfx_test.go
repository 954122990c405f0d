package rpcfx

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waitLimit bounds waits for something that has to happen.
const waitLimit = time.Minute

// network is a listener and a gRPC server, as an application has them.
var network = fx.Options(
	fx.Provide(
		func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		fx.Annotate(newServer, fx.As(fx.Self()), fx.As(new(grpc.ServiceRegistrar))),
	),
	fx.Invoke(func(*grpc.Server) {}),
)

func newServer(lifecycle fx.Lifecycle, listener net.Listener) *grpc.Server {
	server := grpc.NewServer()
	served := make(chan error, 1)
	lifecycle.Append(fx.StartStopHook(
		func() { go func() { served <- server.Serve(listener) }() },
		func() error {
			server.GracefulStop() // would wait for ever for a stream that has not ended
			return <-served
		},
	))
	return server
}

// worker has a function that the application's other parts are needed for.
type worker struct{ prefix string }

func (w *worker) greet(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return wrapperspb.String(w.prefix + req.GetValue()), nil
}

func double(_ context.Context, req *durationpb.Duration) (*durationpb.Duration, error) {
	return durationpb.New(2 * req.AsDuration()), nil
}

// dial provides a client of the server with this address.
func dial(address net.Addr) fx.Option {
	return fx.Provide(func(lifecycle fx.Lifecycle) (rpcpb.CoordinatorClient, error) {
		conn, err := grpc.NewClient("passthrough:///"+address.String(),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		lifecycle.Append(fx.StopHook(conn.Close))
		return rpcpb.NewCoordinatorClient(conn), nil
	})
}

// theWorker is an application that offers two functions.
var theWorker = fx.Options(
	fx.Supply(ClientName("worker-1"), &worker{prefix: "hello, "}),
	fx.Provide(
		AsFunction(func(w *worker) Function { return NewFunction(w.greet) }),
		AsFunction(func() Function { return NewFunction(double) }),
	),
	ClientModule,
	fx.NopLogger,
)

func TestAnApplicationCallsFunctionsOfAnother(t *testing.T) {
	joined, left := make(chan string, 1), make(chan string, 1)
	var clients *rpc.Clients
	var listener net.Listener
	server := fxtest.New(t, network, ServerModule, fx.NopLogger, fx.Populate(&clients, &listener),
		fx.Supply([]rpc.ClientsOption{
			rpc.WithJoinFunc(func(name string) { joined <- name }),
			rpc.WithLeaveFunc(func(name string) { left <- name }),
		}))
	server.RequireStart()
	client := fxtest.New(t, theWorker, dial(listener.Addr()))
	client.RequireStart()

	assert.Equal(t, "worker-1", receive(t, joined))
	greeting, err := rpc.Call[wrapperspb.StringValue](t.Context(), clients, "worker-1", wrapperspb.String("you"))
	require.NoError(t, err)
	assert.Equal(t, "hello, you", greeting.GetValue())
	doubled, err := rpc.Call[durationpb.Duration](t.Context(), clients, "worker-1", durationpb.New(time.Second))
	require.NoError(t, err)
	assert.Equal(t, 2*time.Second, doubled.AsDuration())

	client.RequireStop()
	assert.Equal(t, "worker-1", receive(t, left))
	server.RequireStop()
}

func TestAServerStopsWhileClientsAreConnected(t *testing.T) {
	joined := make(chan string, 1)
	disconnected := make(chan error, 100)
	var listener net.Listener
	server := fxtest.New(t, network, ServerModule, fx.NopLogger, fx.Populate(&listener),
		fx.Supply([]rpc.ClientsOption{rpc.WithJoinFunc(func(name string) { joined <- name })}))
	server.RequireStart()
	client := fxtest.New(t, theWorker, dial(listener.Addr()), fx.Supply([]rpc.StreamClientOption{
		rpc.WithDisconnectFunc(func(err error, _ time.Duration) { disconnected <- err })}))
	client.RequireStart()
	receive(t, joined)
	server.RequireStop()
	assert.Equal(t, codes.Unavailable, status.Code(receive(t, disconnected)))
	client.RequireStop()
}

func TestOptionsOfTheServer(t *testing.T) {
	var listener net.Listener
	server := fxtest.New(t, network, ServerModule, fx.NopLogger, fx.Populate(&listener),
		fx.Supply([]rpc.StreamServerOption{rpc.WithAuthorize(func(context.Context, string) error {
			return status.Error(codes.PermissionDenied, "nobody may")
		})}))
	server.RequireStart()
	var refused *rpc.StreamClient
	client := fxtest.New(t, theWorker, dial(listener.Addr()), fx.Populate(&refused))
	client.RequireStart()
	receive(t, refused.Done())
	assert.Equal(t, codes.PermissionDenied, status.Code(refused.Err()))
	client.RequireStop()
	server.RequireStop()
}

func TestMistakesKeepTheApplicationFromStarting(t *testing.T) {
	for name, row := range map[string]struct {
		option  fx.Option
		message string
	}{
		"two functions for one type": {
			fx.Provide(AsFunction(func() Function { return NewFunction(double) })), "there is a function for google.protobuf.Duration already"},
		"a name that is not allowed": {fx.Replace(ClientName(strings.Repeat("x", rpc.MaxNameLength+1))), "has 129 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			app := fx.New(theWorker, fx.Provide(func() rpcpb.CoordinatorClient { return nil }), row.option)
			assert.ErrorContains(t, app.Err(), row.message)
		})
	}
}

func TestStoppingIsBoundedByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	release := make(chan struct{})
	assert.ErrorIs(t, within(ctx, func() { <-release }), context.Canceled)
	close(release)
	assert.NoError(t, within(t.Context(), func() {}))
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(waitLimit):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}
