package wsmux_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/relayconf/relayconf/link/wsmux"
)

// stack is both ends of gRPC over yamux over a WebSocket.
type stack struct {
	service *service
	server  *grpc.Server
	client  *grpc.ClientConn
	rpc     pb.TestServiceClient

	serverSocket, clientSocket   *websocket.Conn
	serverSession, clientSession *yamux.Session
}

// newStack makes a stack over a WebSocket that the client has dialled.
func newStack(t testing.TB, options ...wsmux.Option) *stack {
	t.Helper()
	dialled, accepted := sockets(t)
	return stackOver(t, dialled, accepted, options...)
}

// stackOver makes a stack over a WebSocket. It is closed with the test.
func stackOver(t testing.TB, client, server *websocket.Conn, options ...wsmux.Option) *stack {
	t.Helper()
	s := &stack{service: &service{}, serverSocket: server, clientSocket: client}
	var err error
	s.server, s.serverSession, err = wsmux.ServeGRPC(server, func(server *grpc.Server) {
		pb.RegisterTestServiceServer(server, s.service)
	}, options...)
	require.NoError(t, err)
	t.Cleanup(s.server.Stop)
	s.client, s.clientSession, err = wsmux.DialGRPC(client, options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.clientSession.Close() })
	s.rpc = pb.NewTestServiceClient(s.client)
	return s
}

// service echoes the payloads of its requests.
type service struct {
	pb.UnimplementedTestServiceServer
	blocked atomic.Int64 // calls that wait for their context
	sent    atomic.Int64 // messages of StreamingOutputCall
}

// UnaryCall echoes, or waits for the end of its context if the message is "wait".
func (s *service) UnaryCall(ctx context.Context, request *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	body := request.GetPayload().GetBody()
	if string(body) == "wait" {
		s.blocked.Add(1)
		<-ctx.Done()
		s.blocked.Add(-1)
		return nil, ctx.Err()
	}
	if size := request.GetResponseSize(); size > 0 {
		body = make([]byte, size)
	}
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: body}}, nil
}

func (s *service) FullDuplexCall(stream grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: request.GetPayload()}); err != nil {
			return err
		}
	}
}

// StreamingOutputCall sends messages of 64 KiB until the other side has enough.
func (s *service) StreamingOutputCall(_ *pb.StreamingOutputCallRequest,
	stream grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	for {
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, 64<<10)}}); err != nil {
			return err
		}
		s.sent.Add(1)
	}
}

func (s *service) StreamingInputCall(stream grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	var size int32
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: size})
		}
		if err != nil {
			return err
		}
		size += int32(len(request.GetPayload().GetBody()))
	}
}

// echo is a call that the service answers with the same bytes.
func (s *stack) echo(t testing.TB, body string) {
	t.Helper()
	response, err := s.rpc.UnaryCall(testContext(t), simple(body))
	require.NoError(t, err)
	require.Equal(t, body, string(response.GetPayload().GetBody()))
}

func simple(body string) *pb.SimpleRequest {
	return &pb.SimpleRequest{Payload: &pb.Payload{Body: []byte(body)}}
}

// testContext ends a call that hangs, and tells so by DeadlineExceeded.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls.
func eventually(t testing.TB, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, soon, time.Millisecond, message)
}
