package rpc

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// waitLimit bounds waits for something that has to happen; a test that reaches it has failed.
const waitLimit = time.Minute

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(waitLimit):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// gateway is a StreamServer on a loopback port.
type gateway struct {
	clients *Clients
	joined  chan string
	service *StreamServer
	server  *grpc.Server
	ended   chan error // the error of each Connect, or nil
	address string
}

func serve(t testing.TB, options ...StreamServerOption) *gateway {
	g := &gateway{joined: make(chan string, 10000), ended: make(chan error, 10000)}
	g.clients = NewClients(WithJoinFunc(func(name string) { g.joined <- name }))
	g.service = NewStreamServer(g.clients, options...)
	g.server = grpc.NewServer(grpc.StreamInterceptor(
		func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			err := handler(server, stream)
			g.ended <- err
			return err
		}))
	rpcpb.RegisterCoordinatorServer(g.server, g.service)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(listener) }()
	t.Cleanup(func() {
		g.service.Stop()
		g.server.Stop()
		<-served
	})
	return g
}

// dial returns a client of the gateway, with a connection of its own.
func (g *gateway) dial(t testing.TB) rpcpb.CoordinatorClient {
	conn, err := grpc.NewClient("passthrough:///"+g.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return rpcpb.NewCoordinatorClient(conn)
}

// start connects a StreamClient and waits until it has joined.
func (g *gateway) start(t testing.TB, name string, handlers *HandlerRegistry, options ...StreamClientOption) *StreamClient {
	client := NewStreamClient(name, handlers, g.dial(t), options...)
	client.Start()
	t.Cleanup(client.Stop)
	require.Equal(t, name, receive(t, g.joined))
	return client
}

// connect opens a stream by hand, says Hello and waits until it is accepted.
func (g *gateway) connect(t testing.TB, name string) rpcpb.Coordinator_ConnectClient {
	stream := g.open(t)
	require.NoError(t, stream.Send(helloOf(name)))
	header, err := stream.Header()
	require.NoError(t, err)
	require.NotNil(t, header, "the response headers say that the client is accepted")
	require.Equal(t, name, receive(t, g.joined))
	return stream
}

func (g *gateway) open(t testing.TB) rpcpb.Coordinator_ConnectClient {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	t.Cleanup(cancel)
	stream, err := g.dial(t).Connect(ctx)
	require.NoError(t, err)
	return stream
}

func helloOf(name string) *rpcpb.ClientToServer {
	return &rpcpb.ClientToServer{Message: &rpcpb.ClientToServer_Hello{Hello: &rpcpb.Hello{Name: name, NextId: 1}}}
}

func responseOf(response *rpcpb.Response) *rpcpb.ClientToServer {
	return &rpcpb.ClientToServer{Message: &rpcpb.ClientToServer_Response{Response: response}}
}

// connector is a CoordinatorClient whose connections are made by a function.
type connector func(ctx context.Context) (rpcpb.Coordinator_ConnectClient, error)

func (c connector) Connect(ctx context.Context, _ ...grpc.CallOption) (rpcpb.Coordinator_ConnectClient, error) {
	return c(ctx)
}

var errBroken = errors.New("broken")
