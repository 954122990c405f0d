package wsmux_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/relayconf/relayconf/link/wsmux"
)

// The rungs of the ladder from gRPC over plain TCP to the whole stack, so that it shows which layer costs how much.
var rungs = []struct {
	name string
	make func(testing.TB) pb.TestServiceClient
}{
	{"TCP", func(b testing.TB) pb.TestServiceClient {
		return overConns(b, func() (net.Conn, net.Conn) { return tcp(b) })
	}},
	{"yamux", func(b testing.TB) pb.TestServiceClient {
		return overConns(b, func() (net.Conn, net.Conn) { return yamuxStreams(b) })
	}},
	{"WebSocket", func(b testing.TB) pb.TestServiceClient {
		return overConns(b, func() (net.Conn, net.Conn) {
			dialled, accepted := sockets(b)
			return wsmux.WrapConn(dialled), wsmux.WrapConn(accepted)
		})
	}},
	{"wsmux", func(b testing.TB) pb.TestServiceClient { return newStack(b).rpc }},
	{"wsmux-64KiB-buffers", func(b testing.TB) pb.TestServiceClient {
		dialled, accepted := socketsThrough(b, websocket.Upgrader{ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10},
			websocket.Dialer{ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10}, func(url string) string { return url })
		return stackOver(b, dialled, accepted).rpc
	}},
}

// overConns is gRPC over one connection.
func overConns(b testing.TB, connect func() (net.Conn, net.Conn)) pb.TestServiceClient {
	near, far := connect()
	server := grpc.NewServer(grpc.MaxRecvMsgSize(wsmux.MaxMsgSize), grpc.MaxSendMsgSize(wsmux.MaxMsgSize))
	pb.RegisterTestServiceServer(server, &service{})
	conns := make(oneConn, 1)
	conns <- far
	go func() { _ = server.Serve(conns) }()
	b.Cleanup(server.Stop)
	client, err := grpc.NewClient("passthrough:///bench", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return near, nil }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wsmux.MaxMsgSize), grpc.MaxCallSendMsgSize(wsmux.MaxMsgSize)))
	require.NoError(b, err)
	b.Cleanup(func() { _ = client.Close() })
	return pb.NewTestServiceClient(client)
}

// oneConn is a listener with one connection.
type oneConn chan net.Conn

func (c oneConn) Accept() (net.Conn, error) {
	conn, ok := <-c
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (c oneConn) Close() error   { close(c); return nil }
func (c oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func tcp(b testing.TB) (net.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer func() { _ = listener.Close() }()
	near, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(b, err)
	far, err := listener.Accept()
	require.NoError(b, err)
	return near, far
}

func yamuxStreams(b testing.TB) (net.Conn, net.Conn) {
	near, far := tcp(b)
	client, err := yamux.Client(near, nil)
	require.NoError(b, err)
	server, err := yamux.Server(far, nil)
	require.NoError(b, err)
	b.Cleanup(func() { _, _ = client.Close(), server.Close() })
	opened, err := client.Open()
	require.NoError(b, err)
	accepted, err := server.Accept()
	require.NoError(b, err)
	return opened, accepted
}

// BenchmarkLatency is the time of a call with a message of one byte each way.
func BenchmarkLatency(b *testing.B) {
	for _, rung := range rungs {
		b.Run(rung.name, func(b *testing.B) {
			client := rung.make(b)
			b.ReportAllocs()
			for b.Loop() {
				_, err := client.UnaryCall(b.Context(), simple("x"))
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkThroughput is a stream of messages of 1 MiB from the client.
func BenchmarkThroughput(b *testing.B) {
	const size = 1 << 20
	message := &pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: make([]byte, size)}}
	for _, rung := range rungs {
		b.Run(rung.name, func(b *testing.B) {
			client := rung.make(b)
			b.SetBytes(size)
			stream, err := client.StreamingInputCall(b.Context())
			require.NoError(b, err)
			for b.Loop() {
				require.NoError(b, stream.Send(message))
			}
			_, err = stream.CloseAndRecv()
			require.NoError(b, err)
		})
	}
}

// BenchmarkSmallNextToBig is the time of a small call while messages of 60 MiB are sent over the same connection.
func BenchmarkSmallNextToBig(b *testing.B) {
	big := &pb.SimpleRequest{ResponseSize: 1, Payload: &pb.Payload{Body: make([]byte, 60<<20)}}
	for _, rung := range rungs {
		b.Run(rung.name, func(b *testing.B) {
			client := rung.make(b)
			ctx, cancel := context.WithCancel(b.Context())
			sending := inBackground(func() int {
				sent := 0
				for ctx.Err() == nil {
					if _, err := client.UnaryCall(ctx, big); err == nil {
						sent++
					}
				}
				return sent
			})
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := client.UnaryCall(b.Context(), simple("x"))
				require.NoError(b, err)
				times = append(times, time.Since(start))
			}
			cancel()
			b.ReportMetric(float64(get(b, sending)), "big-messages")
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
		})
	}
}
