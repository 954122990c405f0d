package rpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

const (
	// DefaultHelloTimeout is how long a [StreamServer] waits for a new client's name.
	DefaultHelloTimeout = 10 * time.Second

	// DefaultMaxMessageSize is gRPC's own limit of received messages, in bytes. A larger message ends the stream, and with
	// it every call; so larger requests and answers fail by themselves before they are sent.
	DefaultMaxMessageSize = 4 << 20
)

// StreamServer serves the gRPC service Coordinator: each client that connects joins a [Clients]. Register it with
// rpcpb.RegisterCoordinatorServer.
type StreamServer struct {
	rpcpb.UnimplementedCoordinatorServer

	clients      *Clients
	authorize    func(ctx context.Context, name string) error
	helloTimeout time.Duration
	maxRequest   int
	turns        turns

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	mu     sync.Mutex
	active sync.WaitGroup // calls of Connect; added to while mu is held
}

// StreamServerOption is an option of [NewStreamServer].
type StreamServerOption func(*StreamServer)

// WithAuthorize sets a function that decides who may take which name, and when. It gets the stream's context, which has
// the peer and the metadata. An error refuses the client and reaches it with its gRPC status; one without a status gets
// the code Unknown. [WithFinal] says which codes end a [StreamClient] for good, such as PermissionDenied; after the others
// it tries again.
//
// No two calls for one name run at once, and the next one is made after a client that was let in has joined. So the
// function may call the present client of the name, and refuse a newcomer while it answers. Default: everyone may.
func WithAuthorize(authorize func(ctx context.Context, name string) error) StreamServerOption {
	return func(s *StreamServer) { s.authorize = authorize }
}

// WithHelloTimeout sets how long a new client may take to say its name. Default: [DefaultHelloTimeout].
func WithHelloTimeout(timeout time.Duration) StreamServerOption {
	return func(s *StreamServer) { s.helloTimeout = timeout }
}

// WithMaxRequestSize sets how many bytes the clients can receive in one message. A call with a larger request fails with
// the code ResourceExhausted. 0 is any number. Default: [DefaultMaxMessageSize].
func WithMaxRequestSize(bytes int) StreamServerOption {
	return func(s *StreamServer) { s.maxRequest = bytes }
}

// NewStreamServer returns a service whose clients join clients.
func NewStreamServer(clients *Clients, options ...StreamServerOption) *StreamServer {
	s := &StreamServer{
		clients:      clients,
		authorize:    func(context.Context, string) error { return nil },
		helloTimeout: DefaultHelloTimeout,
		maxRequest:   DefaultMaxMessageSize,
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, option := range options {
		option(s)
	}
	return s
}

// Stop ends every connection with the code Unavailable, waits until their Connect has returned, and refuses new ones. Call
// it before GracefulStop of a gRPC server, which waits for streams.
func (s *StreamServer) Stop() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.active.Wait()
}

// Connect serves one client, for as long as its stream lasts. gRPC calls it.
func (s *StreamServer) Connect(stream grpc.BidiStreamingServer[rpcpb.ClientToServer, rpcpb.ServerToClient]) error {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return errServerStopped
	}
	s.active.Add(1)
	s.mu.Unlock()
	defer s.active.Done()

	conn, err := s.accept(stream)
	if err != nil {
		_ = stream.SetHeader(metadata.Pairs(refusedKey, "true")) // an interceptor may have set a header, so none is no sign
		return err
	}
	return s.serve(stream, conn)
}

// refusedKey is in the header of a stream whose client is refused.
const refusedKey = "rpc-refused"

func (s *StreamServer) accept(stream rpcpb.Coordinator_ConnectServer) (*connection, error) {
	hello, err := s.receiveHello(stream)
	if err != nil {
		return nil, err
	}
	return s.admit(stream.Context(), hello)
}

var (
	errServerStopped = status.Error(codes.Unavailable, "rpc: the server is stopping")
	errReplaced      = status.Error(codes.Aborted, "rpc: another client has connected under the same name")
)

// receiveHello returns the client's first message.
func (s *StreamServer) receiveHello(stream rpcpb.Coordinator_ConnectServer) (*rpcpb.Hello, error) {
	type result struct {
		message *rpcpb.ClientToServer
		err     error
	}
	received := make(chan result, 1)
	go func() { // Recv can't be interrupted, but it returns when Connect has
		message, err := stream.Recv()
		received <- result{message, err}
	}()
	timeout := time.NewTimer(s.helloTimeout)
	defer timeout.Stop()
	select {
	case first := <-received:
		if first.err != nil {
			return nil, first.err
		}
		if first.message.GetHello() == nil {
			return nil, status.Error(codes.InvalidArgument, "rpc: the first message of a client has to be its Hello")
		}
		return first.message.GetHello(), nil
	case <-timeout.C:
		return nil, status.Errorf(codes.DeadlineExceeded, "rpc: the client sent no Hello within %v", s.helloTimeout)
	case <-s.ctx.Done():
		return nil, errServerStopped
	}
}

// admit checks the client's name, asks whether it may have it, and joins it.
func (s *StreamServer) admit(ctx context.Context, hello *rpcpb.Hello) (*connection, error) {
	name := hello.GetName()
	if err := CheckName(name); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	done, err := s.turns.take(ctx, name)
	if err == nil {
		defer done()
		err = s.authorize(ctx, name)
	}
	switch {
	case s.ctx.Err() != nil:
		return nil, errServerStopped
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case err != nil:
		return nil, statusOf(err).Err()
	}
	return s.clients.join(name, hello.GetNextId(), s.maxRequest), nil
}

// serve carries commands and responses until the first thing that ends the connection. Its goroutines end soon after it
// has returned: gRPC then ends the stream, on which they wait; this in turn makes the client leave.
func (s *StreamServer) serve(stream rpcpb.Coordinator_ConnectServer, conn *connection) error {
	ended := make(chan error, 2)
	go func() { ended <- receiveResponses(stream, conn.responses) }()
	// This tells the client that it is accepted. It fails if the header went out before, as inlinekeepalive sends it while the
	// function of WithAuthorize takes long, or if the stream has ended, which the goroutines notice.
	_ = stream.SendHeader(nil)
	go func() {
		if err := sendCommands(stream, conn.commands); err != nil {
			ended <- err
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-conn.replaced:
		return errReplaced
	case <-s.ctx.Done():
		return errServerStopped
	}
}

func receiveResponses(stream rpcpb.Coordinator_ConnectServer, responses chan<- *rpcpb.Response) error {
	defer close(responses)
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the client has closed the stream
		}
		if err != nil {
			return err
		}
		if message.GetResponse() == nil {
			return status.Error(codes.InvalidArgument, "rpc: after its Hello a client sends responses only")
		}
		responses <- message.GetResponse()
	}
}

// sendCommands returns an error of the stream, or nil when the commands are closed, which has another reason.
func sendCommands(stream rpcpb.Coordinator_ConnectServer, commands <-chan *rpcpb.ServerToClient) error {
	for command := range commands {
		if err := stream.Send(command); err != nil {
			return err
		}
	}
	return nil
}
