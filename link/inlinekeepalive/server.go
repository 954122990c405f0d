package inlinekeepalive

import (
	"context"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/metadata"
)

// StreamServerInterceptor drops keepalives of clients, and sends the server's to clients that drop them. Put it first in
// a chain, so that no other interceptor sees a keepalive. To have clients send theirs, call [RegisterVersionInfo], too.
func StreamServerInterceptor(options ...Option) grpc.StreamServerInterceptor {
	cfg := newConfig(options)
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if !info.IsClientStream && !info.IsServerStream {
			return handler(srv, stream)
		}
		md, _ := metadata.FromIncomingContext(stream.Context())
		if !announces(md) || !isProto(md) {
			return handler(srv, stream)
		}
		// A handler that passes its metadata on to another server must not announce the feature of its own client.
		md.Delete(MetadataKey)
		s := &serverStream{
			ServerStream: stream,
			ctx:          metadata.NewIncomingContext(stream.Context(), md),
			sender:       newSender(stream, cfg.interval),
			clientSends:  info.IsClientStream,
			headerSent:   make(chan struct{}),
		}
		ctx, cancel := context.WithCancel(stream.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.keepAlive(ctx, cfg, info.IsServerStream)
		}()
		defer func() {
			cancel()
			// A keepalive that is in flight to a client that does not read ends after this return, with the stream's context.
			if s.sender.close(nil) {
				<-ended
			}
		}()
		return handler(srv, s)
	}
}

// isProto says whether the stream's content type is that of protobuf.
func isProto(md metadata.MD) bool {
	for _, contentType := range md.Get("content-type") {
		if subtype, ok := strings.CutPrefix(contentType, "application/grpc+"); ok && subtype != proto.Name {
			return false
		}
	}
	return true
}

// serverStream is a stream in which either side, or both, sends messages.
type serverStream struct {
	grpc.ServerStream
	ctx         context.Context
	sender      *sender
	clientSends bool // so the client has to know whether it may send keepalives

	announcement sync.Once
	header       sync.Once
	headerSent   chan struct{}
}

func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) SetHeader(md metadata.MD) error {
	s.announce()
	return s.ServerStream.SetHeader(md)
}

func (s *serverStream) SendHeader(md metadata.MD) error {
	s.announce()
	err := s.ServerStream.SendHeader(md)
	s.noteHeader()
	return err
}

func (s *serverStream) SendMsg(m any) error {
	s.announce()
	err := s.sender.send(m)
	s.noteHeader()
	return err
}

func (s *serverStream) RecvMsg(m any) error {
	s.announce()
	return receive(s.ServerStream, m)
}

// announce adds the announcement to the header. It does so with the handler's first use of the stream, and not before: a
// call that is refused by an interceptor keeps an answer of trailers only, which the client may retry.
func (s *serverStream) announce() {
	if !s.clientSends {
		return
	}
	s.announcement.Do(func() {
		// It fails if the handler sent the header past the stream; then the client sends no keepalives.
		_ = s.ServerStream.SetHeader(metadata.Pairs(MetadataKey, metadataValue))
	})
}

// noteHeader notes that the header was sent.
func (s *serverStream) noteHeader() { s.header.Do(func() { close(s.headerSent) }) }

// keepAlive sends the header, if the handler does not, and then the server's keepalives.
func (s *serverStream) keepAlive(ctx context.Context, cfg config, serverSends bool) {
	delay, cancel := context.WithTimeout(ctx, cfg.headerDelay())
	defer cancel()
	select {
	case <-s.headerSent:
	case <-delay.Done():
		if ctx.Err() != nil {
			return
		}
		if s.clientSends {
			s.sendHeader()
		}
	}
	if serverSends {
		s.sender.keepAlive(ctx)
	}
}

// sendHeader sends the header that the handler has set so far. A message that is being sent takes it along.
func (s *serverStream) sendHeader() {
	if s.sender.sending.TryLock() {
		defer s.sender.sending.Unlock()
		s.announce()
		_ = s.ServerStream.SendHeader(nil) // it fails if the header was sent already
	}
}
