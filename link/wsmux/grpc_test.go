package wsmux_test

import (
	"context"
	"io"
	"testing"

	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/wsmux"
)

func TestEitherSideMayHaveDialledTheWebSocket(t *testing.T) {
	for name, clientDials := range map[string]bool{"the client": true, "the server": false} {
		t.Run(name, func(t *testing.T) {
			client, server := sockets(t)
			if !clientDials {
				client, server = server, client
			}
			s := stackOver(t, client, server)
			s.echo(t, "one request, one answer")

			duplex, err := s.rpc.FullDuplexCall(testContext(t))
			require.NoError(t, err)
			for range 10 {
				require.NoError(t, duplex.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: []byte("x")}}))
				response, err := duplex.Recv()
				require.NoError(t, err)
				assert.Equal(t, "x", string(response.GetPayload().GetBody()))
			}
			require.NoError(t, duplex.CloseSend())
			_, err = duplex.Recv()
			assert.Equal(t, io.EOF, err)
		})
	}
}

func TestTheClientIsLazyAndSharesOneStream(t *testing.T) {
	s := newStack(t)
	_, err := s.clientSession.Ping()
	require.NoError(t, err)
	assert.Zero(t, s.clientSession.NumStreams())
	assert.Zero(t, s.serverSession.NumStreams())
	for range 10 {
		s.echo(t, "hello")
		assert.Equal(t, 1, s.clientSession.NumStreams())
		assert.Equal(t, 1, s.serverSession.NumStreams())
	}
}

func TestMaxMsgSizeBothWays(t *testing.T) {
	s := newStack(t)
	const overhead = 16 // of the message around the bytes
	send := func(size int) error {
		_, err := s.rpc.UnaryCall(testContext(t), &pb.SimpleRequest{ResponseSize: 1, Payload: &pb.Payload{Body: make([]byte, size)}})
		return err
	}
	receive := func(size int) error {
		_, err := s.rpc.UnaryCall(testContext(t), &pb.SimpleRequest{ResponseSize: int32(size)})
		return err
	}
	for name, call := range map[string]func(int) error{"sent": send, "received": receive} {
		t.Run(name, func(t *testing.T) {
			assert.NoError(t, call(wsmux.MaxMsgSize-overhead))
			assert.Equal(t, codes.ResourceExhausted, status.Code(call(wsmux.MaxMsgSize)))
		})
	}
}

func TestOptionsWinOverTheDefaults(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		s := newStack(t, wsmux.WithServerOptions(grpc.MaxRecvMsgSize(100)))
		_, err := s.rpc.UnaryCall(testContext(t), simple(string(make([]byte, 200))))
		assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	})
	t.Run("dial", func(t *testing.T) {
		s := newStack(t, wsmux.WithDialOptions(grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(100))))
		_, err := s.rpc.UnaryCall(testContext(t), simple(string(make([]byte, 200))))
		assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	})
	t.Run("yamux", func(t *testing.T) {
		config := yamux.DefaultConfig()
		config.LogOutput, config.AcceptBacklog = io.Discard, 1
		option := wsmux.WithYamuxConfig(config)
		config.AcceptBacklog = 0 // it is copied when the option is made
		s := newStack(t, option)
		s.echo(t, "hello")
	})
	t.Run("no yamux", func(t *testing.T) { newStack(t, wsmux.WithYamuxConfig(nil)).echo(t, "hello") })
}

func TestBadInputIsAnErrorThatTellsWhatIsWrong(t *testing.T) {
	register := func(*grpc.Server) {}
	bad := wsmux.WithYamuxConfig(&yamux.Config{AcceptBacklog: -1})
	dialled, accepted := sockets(t)

	_, _, err := wsmux.ServeGRPC(nil, register)
	require.ErrorIs(t, err, wsmux.ErrNil)
	_, _, err = wsmux.ServeGRPC(accepted, nil)
	require.ErrorIs(t, err, wsmux.ErrNil)
	_, _, err = wsmux.DialGRPC(nil)
	require.ErrorIs(t, err, wsmux.ErrNil)
	_, _, err = wsmux.ServeGRPC(accepted, register, bad)
	require.ErrorContains(t, err, "configuration of yamux can't be used: backlog must be positive")
	_, _, err = wsmux.DialGRPC(dialled, bad)
	require.ErrorContains(t, err, "configuration of yamux can't be used: backlog must be positive")
	_, _, err = wsmux.DialGRPC(dialled, wsmux.WithDialOptions(grpc.WithDefaultServiceConfig("{")))
	require.ErrorContains(t, err, "options of gRPC can't be used")

	// After an error the WebSocket is still the caller's.
	stackOver(t, dialled, accepted).echo(t, "hello")
}

func TestTheSessionCarriesStreamsThatAreNotGRPC(t *testing.T) {
	s := newStack(t)
	s.echo(t, "gRPC before")
	opened, err := s.serverSession.Open()
	require.NoError(t, err)
	accepted, err := s.clientSession.Accept()
	require.NoError(t, err)
	_, err = io.WriteString(opened, "down")
	require.NoError(t, err)
	assert.Equal(t, "down", readFull(t, accepted, 4))
	_, err = io.WriteString(accepted, "up")
	require.NoError(t, err)
	assert.Equal(t, "up", readFull(t, opened, 2))
	require.NoError(t, s.client.Close(), "gRPC ends, the other stream goes on")
	_, err = io.WriteString(opened, "still")
	require.NoError(t, err)
	assert.Equal(t, "still", readFull(t, accepted, 5))
	require.NoError(t, opened.Close())
	_, err = accepted.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
}

func TestInterceptorsOfTheOptionsSeeTheCalls(t *testing.T) {
	var seen []codes.Code
	s := newStack(t, wsmux.WithDialOptions(grpc.WithUnaryInterceptor(
		func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			err := invoke(ctx, method, request, reply, conn, options...)
			seen = append(seen, status.Code(err))
			return err
		})))
	s.echo(t, "hello")
	require.NoError(t, s.clientSession.Close())
	_, err := s.rpc.UnaryCall(testContext(t), simple("too late"))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, []codes.Code{codes.OK, codes.Unavailable}, seen)
}
