package wsmux

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// MaxMsgSize is the size in bytes that a gRPC message may have, sent or received, unless an option changes it: 64 MiB. A
// longer one ends its call with codes.ResourceExhausted.
const MaxMsgSize = 64 << 20

// sessionCloseTimeout is how long the close frame of a session may take. It is short: until then, yamux has each blocked
// Read of a stream poll.
const sessionCloseTimeout = 100 * time.Millisecond

// ErrNil is returned by ServeGRPC and DialGRPC if an argument is nil that may not be.
var ErrNil = errors.New("wsmux: nil argument")

// ServeGRPC serves gRPC on every stream that the other side opens over a WebSocket. register registers the services; it is
// called once, before anything is served. The server's Stop and GracefulStop close the session when they are done, and the
// session's end ends all that the server does. GracefulStop takes no new calls and waits for those that run.
//
// The session may open streams, which the other side accepts from its session; it must not accept any itself.
//
// ServeGRPC owns conn once it returns no error. An error is ErrNil, or says why the configuration of yamux is invalid.
func ServeGRPC(conn *websocket.Conn, register func(*grpc.Server), options ...Option) (*grpc.Server, *yamux.Session, error) {
	if conn == nil || register == nil {
		return nil, nil, fmt.Errorf("%w: ServeGRPC needs a WebSocket and a function that registers services", ErrNil)
	}
	s := newSettings(options)
	if err := yamux.VerifyConfig(s.yamux); err != nil {
		return nil, nil, fmt.Errorf("wsmux: the configuration of yamux can't be used: %w", err)
	}
	server := grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMsgSize), grpc.MaxSendMsgSize(MaxMsgSize),
	}, s.server...)...)
	register(server)
	limited := newLimitedConn(sessionConn(conn), s.limits)
	session, err := yamux.Server(limited, s.yamux)
	if err != nil {
		return nil, nil, fmt.Errorf("wsmux: could not start yamux: %w", err)
	}
	limited.session.Store(session)
	streams := newListener(session)
	go func() {
		_ = server.Serve(streams) // it returns when the session has ended, or when the server has stopped
		_ = session.Close()
	}()
	return server, session, nil
}

// DialGRPC makes a client of the gRPC server at the other side of a WebSocket. It is lazy: the first call opens a stream,
// which all calls share. When the session ends, the ClientConn is closed; calls in flight and later ones fail with
// codes.Unavailable. Closing the ClientConn does not close the session.
//
// The session accepts streams that the other side opens for something else than gRPC. It must not open any itself: the
// other side would take them for gRPC.
//
// DialGRPC owns conn once it returns no error. An error is ErrNil, or says why the options are invalid.
func DialGRPC(conn *websocket.Conn, options ...Option) (*grpc.ClientConn, *yamux.Session, error) {
	if conn == nil {
		return nil, nil, fmt.Errorf("%w: DialGRPC needs a WebSocket", ErrNil)
	}
	s := newSettings(options)
	if err := yamux.VerifyConfig(s.yamux); err != nil {
		return nil, nil, fmt.Errorf("wsmux: the configuration of yamux can't be used: %w", err)
	}
	var session *yamux.Session
	calls := &calls{}
	open := func(context.Context, string) (net.Conn, error) { return session.Open() }
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the WebSocket's TLS is below
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMsgSize), grpc.MaxCallSendMsgSize(MaxMsgSize)),
	}, s.dial...)
	// Last, and so under the interceptors of the options: they see Unavailable, too.
	dial = append(dial, grpc.WithContextDialer(open),
		grpc.WithChainUnaryInterceptor(calls.unary), grpc.WithChainStreamInterceptor(calls.stream))
	client, err := grpc.NewClient("passthrough:///wsmux", dial...)
	if err != nil {
		return nil, nil, fmt.Errorf("wsmux: the options of gRPC can't be used: %w", err)
	}
	limited := newLimitedConn(sessionConn(conn), s.limits)
	session, err = yamux.Client(limited, s.yamux)
	if err != nil {
		_ = client.Close()
		return nil, nil, fmt.Errorf("wsmux: could not start yamux: %w", err)
	}
	limited.session.Store(session)
	calls.session = session
	go func() {
		<-session.CloseChan()
		_ = client.Close()
	}()
	return client, session, nil
}

// sessionConn is the connection under a session. Its Close does not wait for the other side, since a session that ends drops
// its streams anyway.
func sessionConn(ws *websocket.Conn) net.Conn {
	c := newConn(ws)
	c.closeTimeout = sessionCloseTimeout
	return c
}
