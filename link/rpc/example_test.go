package rpc_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// A worker connects to a server, and the server calls a function of the worker.
func Example() {
	// The server.
	joined := make(chan string)
	clients := rpc.NewClients(rpc.WithJoinFunc(func(name string) { joined <- name }))
	service := rpc.NewStreamServer(clients)
	server := grpc.NewServer()
	rpcpb.RegisterCoordinatorServer(server, service)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	defer service.Stop()

	// The worker, usually in another process.
	functions := rpc.NewHandlerRegistry()
	err = rpc.RegisterFunction(functions,
		func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			return wrapperspb.String(strings.ToUpper(req.GetValue())), nil
		})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	worker := rpc.NewStreamClient("worker-1", functions, rpcpb.NewCoordinatorClient(conn))
	worker.Start()
	defer worker.Stop()

	// The server again.
	name := <-joined
	answer, err := rpc.Call[wrapperspb.StringValue](context.Background(), clients, name, wrapperspb.String("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(name, "answers", answer.GetValue())
	// Output: worker-1 answers HELLO
}

// connect is a transport within one process; StreamServer and StreamClient are one over a network.
// The client leaves when the function that it returns is called.
func connect(clients *rpc.Clients, name string, functions *rpc.HandlerRegistry) (leave func()) {
	commands, responses := clients.Join(name, 1)
	dispatcher := functions.StartDispatcher()
	go func() {
		for command := range commands {
			dispatcher.ProcessCommand(command)
		}
		dispatcher.Stop() // another client has joined under the name
	}()
	go func() {
		defer close(responses) // tells the clients that this one leaves
		for response := range dispatcher.Chan() {
			responses <- response
		}
	}()
	return dispatcher.Stop
}

// Another transport: it carries the commands of Join to a dispatcher, and the dispatcher's responses back.
func ExampleClients_Join() {
	functions := rpc.NewHandlerRegistry()
	err := rpc.RegisterFunction(functions,
		func(_ context.Context, req *wrapperspb.Int64Value) (*wrapperspb.Int64Value, error) {
			return wrapperspb.Int64(req.GetValue() * req.GetValue()), nil
		})
	if err != nil {
		log.Fatal(err)
	}
	clients := rpc.NewClients()
	defer connect(clients, "worker-1", functions)()

	answer, err := rpc.Call[wrapperspb.Int64Value](context.Background(), clients, "worker-1", wrapperspb.Int64(12))
	fmt.Println(answer.GetValue(), err)
	// Output: 144 <nil>
}

// A call to all clients has a result for each, sorted by name.
func ExampleCallAll() {
	clients := rpc.NewClients()
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		functions := rpc.NewHandlerRegistry()
		err := rpc.RegisterFunction(functions,
			func(_ context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
				if name == "worker-2" {
					return nil, status.Error(codes.FailedPrecondition, "busy")
				}
				return wrapperspb.String(req.GetValue() + " from " + name), nil
			})
		if err != nil {
			log.Fatal(err)
		}
		defer connect(clients, name, functions)()
	}

	results, err := rpc.CallAll[wrapperspb.StringValue](context.Background(), clients, wrapperspb.String("hello"))
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results {
		if result.Err != nil {
			fmt.Println(result.Client, status.Code(result.Err))
			continue
		}
		fmt.Println(result.Client, result.Success.GetValue())
	}
	// Output:
	// worker-1 hello from worker-1
	// worker-2 FailedPrecondition
	// worker-3 hello from worker-3
}

// A name belongs to whoever knows its token.
func ExampleWithAuthorize() {
	tokens := map[string]string{"worker-1": "secret"}
	authorize := func(ctx context.Context, name string) error {
		sent := metadata.ValueFromIncomingContext(ctx, "authorization")
		if len(sent) != 1 || tokens[name] == "" || sent[0] != tokens[name] {
			return status.Errorf(codes.PermissionDenied, "the token does not allow the name %q", name)
		}
		return nil
	}
	service := rpc.NewStreamServer(rpc.NewClients(), rpc.WithAuthorize(authorize))
	defer service.Stop()

	fmt.Println(authorize(metadata.NewIncomingContext(context.Background(), metadata.Pairs("authorization", "secret")), "worker-1"))
	fmt.Println(authorize(context.Background(), "worker-1"))
	// Output:
	// <nil>
	// rpc error: code = PermissionDenied desc = the token does not allow the name "worker-1"
}

// Names are shown to people, in logs and tables.
func ExampleCheckName() {
	fmt.Println(rpc.CheckName("worker-1"))
	fmt.Println(rpc.CheckName("worker\n1"))
	// Output:
	// <nil>
	// rpc error: code = InvalidArgument desc = rpc: the client's name "worker\n1" has the character U+000A: only printable ones are allowed
}
