package wsmux

import (
	"context"
	"net"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// listener hands the streams of a session to a gRPC server.
type listener struct {
	session *yamux.Session
	ctx     context.Context // done when it is closed
	cancel  context.CancelFunc
}

func newListener(session *yamux.Session) *listener {
	ctx, cancel := context.WithCancel(context.Background())
	return &listener{session: session, ctx: ctx, cancel: cancel}
}

func (l *listener) Accept() (net.Conn, error) {
	stream, err := l.session.AcceptStreamWithContext(l.ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

// Close ends Accept, but not the session: calls that run go on. The other side is told to open no more streams, so that new
// calls fail at once.
func (l *listener) Close() error {
	l.cancel()
	go func() { _ = l.session.GoAway() }() // ends when it is sent, or with the session
	return nil
}

func (l *listener) Addr() net.Addr { return l.session.LocalAddr() }

// Reason returns why a session has ended, such as ErrLimit or io.EOF, and nil while it goes on.
func Reason(session *yamux.Session) error {
	if !session.IsClosed() {
		return nil
	}
	for {
		if _, err := session.Accept(); err != nil { // after the streams that nobody has accepted
			return err
		}
	}
}

// calls sees to it that the end of a session ends each call with Unavailable. The ClientConn is closed then, for which gRPC
// itself has Canceled, as if the caller had given up.
type calls struct{ session *yamux.Session }

func (c *calls) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	return c.status(ctx, invoke(ctx, method, request, reply, conn, options...))
}

func (c *calls) stream(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, conn, method, options...)
	if err != nil {
		return nil, c.status(ctx, err)
	}
	return &clientStream{ClientStream: stream, calls: c, ctx: ctx}, nil
}

// status turns Canceled into Unavailable if it was the session that ended, not the caller's context.
func (c *calls) status(ctx context.Context, err error) error {
	if status.Code(err) != codes.Canceled || ctx.Err() != nil || !c.session.IsClosed() {
		return err
	}
	return status.Errorf(codes.Unavailable, "wsmux: the session has ended: %v", Reason(c.session))
}

// clientStream is a stream of gRPC whose errors are those of calls.
type clientStream struct {
	grpc.ClientStream
	calls *calls
	ctx   context.Context // the caller's; the stream's own ends with the stream
}

func (s *clientStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	return header, s.calls.status(s.ctx, err)
}

func (s *clientStream) RecvMsg(message any) error {
	return s.calls.status(s.ctx, s.ClientStream.RecvMsg(message))
}

func (s *clientStream) SendMsg(message any) error {
	return s.calls.status(s.ctx, s.ClientStream.SendMsg(message))
}
