package inlinekeepalive

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tap records when keepalives arrive at one end, before any interceptor drops them.
type tap struct {
	start time.Time

	mu    sync.Mutex
	times []time.Duration
	other []string // methods of unary calls
}

func newTap() *tap { return &tap{start: time.Now()} }

func (p *tap) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if strings.HasSuffix(info.FullMethodName, "GetVersionInfo") {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.other = append(p.other, info.FullMethodName)
	}
	return ctx
}

func (p *tap) HandleRPC(_ context.Context, event stats.RPCStats) {
	if in, ok := event.(*stats.InPayload); ok {
		if message, ok := in.Payload.(proto.Message); ok && IsKeepalive(message) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.times = append(p.times, time.Since(p.start))
		}
	}
}

func (p *tap) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (p *tap) HandleConn(context.Context, stats.ConnStats)                       {}

// arrived returns the times, in seconds since the start, at which keepalives arrived.
func (p *tap) arrived() []float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	seconds := []float64{}
	for _, t := range p.times {
		seconds = append(seconds, t.Seconds())
	}
	return seconds
}

// checks returns how many times GetVersionInfo was called.
func (p *tap) checks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.other)
}

// echo is a service with the three kinds of streams. Each waits for the client, or for finish.
type echo struct {
	testpb.UnimplementedTestServiceServer
	finish chan struct{} // closed: the server-streaming handler sends its last message
	early  bool          // send the header at once
}

func (e *echo) StreamingInputCall(stream grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	if e.early {
		if err := stream.SendHeader(nil); err != nil {
			return err
		}
	}
	size := 0
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)})
		}
		if err != nil {
			return err
		}
		size += len(message.GetPayload().GetBody())
	}
}

func (e *echo) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	if err := stream.Send(output("first")); err != nil {
		return err
	}
	select {
	case <-e.finish:
		return stream.Send(output("last"))
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

func (e *echo) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	if e.early {
		if err := stream.SendHeader(nil); err != nil {
			return err
		}
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(output(string(message.GetPayload().GetBody()))); err != nil {
			return err
		}
	}
}

func payload(text string) *testpb.Payload { return &testpb.Payload{Body: []byte(text)} }

func output(text string) *testpb.StreamingOutputCallResponse {
	return &testpb.StreamingOutputCallResponse{Payload: payload(text)}
}

func input(text string) *testpb.StreamingInputCallRequest {
	return &testpb.StreamingInputCallRequest{Payload: payload(text)}
}

func duplex(text string) *testpb.StreamingOutputCallRequest {
	return &testpb.StreamingOutputCallRequest{Payload: payload(text)}
}

// rig is a server and a client of it, with a tap on each side.
type rig struct {
	t                  *testing.T
	server             *grpc.Server
	service            *echo
	conn               *grpc.ClientConn
	client             testpb.TestServiceClient
	atServer, atClient *tap
	serverOpts         []grpc.ServerOption
	clientOpts         []grpc.DialOption
	withoutVersionInfo bool
	implementation     testpb.TestServiceServer
	proxy              func(service string) (address string) // nil: none, and no socket either
}

type rigOption func(*rig)

// newPeers are the two ends with interceptors.
func newPeers(options ...Option) rigOption {
	return func(r *rig) {
		newServer(options...)(r)
		newClient(options...)(r)
	}
}

func newServer(options ...Option) rigOption {
	return func(r *rig) {
		r.serverOpts = append(r.serverOpts, grpc.ChainStreamInterceptor(StreamServerInterceptor(options...)))
	}
}

func newClient(options ...Option) rigOption {
	return func(r *rig) {
		r.clientOpts = append(r.clientOpts, grpc.WithChainStreamInterceptor(StreamClientInterceptor(options...)))
	}
}

// startRig starts both ends until the test ends.
func startRig(t *testing.T, options ...rigOption) *rig {
	r := &rig{t: t, service: &echo{finish: make(chan struct{})}, atServer: newTap(), atClient: newTap()}
	r.implementation = r.service
	for _, option := range options {
		option(r)
	}
	memory := bufconn.Listen(1 << 20)
	var listener net.Listener = memory
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return memory.DialContext(ctx) }
	if r.proxy != nil {
		var err error
		listener, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := r.proxy(listener.Addr().String())
		dial = func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	r.server = grpc.NewServer(append(r.serverOpts, grpc.StatsHandler(r.atServer))...)
	testpb.RegisterTestServiceServer(r.server, r.implementation)
	if !r.withoutVersionInfo {
		RegisterVersionInfo(r.server, "rig", "1")
	}
	served := make(chan error)
	go func() { served <- r.server.Serve(listener) }()

	var err error
	r.conn, err = grpc.NewClient("passthrough:///rig", append(r.clientOpts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(r.atClient),
		grpc.WithContextDialer(dial))...)
	require.NoError(t, err)
	r.client = testpb.NewTestServiceClient(r.conn)
	t.Cleanup(func() {
		r.conn.Close()
		r.server.Stop()
		<-served
	})
	return r
}

// bubble runs a test in the time of testing/synctest.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// sleep lets time pass, and everything that it leads to.
func sleep(duration time.Duration) {
	time.Sleep(duration)
	synctest.Wait()
}

// keepaliveGoroutines counts this package's goroutines in the bubble of a test.
func keepaliveGoroutines() int {
	buffer := make([]byte, 1<<20)
	count := 0
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(header, "synctest bubble") && strings.Contains(stack, "Stream).keepAlive(") {
			count++
		}
	}
	return count
}
