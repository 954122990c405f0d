package inlinekeepalive

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/metadata"
)

// StreamClientInterceptor drops the server's keepalives, and sends the client's to a server that drops them. Put it last
// in a chain, so that no other interceptor sees a keepalive.
func StreamClientInterceptor(options ...Option) grpc.StreamClientInterceptor {
	cfg := newConfig(options)
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if !desc.ClientStreams && !desc.ServerStreams || !usesProto(opts) {
			return streamer(ctx, desc, cc, method, opts...)
		}
		announced := metadata.AppendToOutgoingContext(ctx, MetadataKey, metadataValue)
		if !desc.ClientStreams {
			stream, err := streamer(announced, desc, cc, method, opts...)
			if err != nil {
				return nil, err
			}
			return &receivingStream{stream}, nil
		}

		lifetime, finish := context.WithCancel(ctx)
		opts = append(slices.Clip(opts), grpc.OnFinish(func(error) { finish() }))
		stream, err := streamer(announced, desc, cc, method, opts...)
		if err != nil {
			finish()
			return nil, err
		}
		s := &clientStream{ClientStream: stream, sender: newSender(stream, cfg.interval), finish: finish}
		go func() {
			defer finish()
			s.keepAlive(lifetime, cc, cfg.check)
		}()
		return s, nil
	}
}

// usesProto says whether messages go out in the codec of protobuf: as an unknown field of any other there is no keepalive.
func usesProto(opts []grpc.CallOption) bool {
	name := proto.Name
	for _, opt := range opts {
		switch opt := opt.(type) {
		case grpc.ContentSubtypeCallOption:
			name = opt.ContentSubtype
		case grpc.ForceCodecCallOption:
			name = opt.Codec.Name()
		case grpc.ForceCodecV2CallOption:
			name = opt.CodecV2.Name()
		}
	}
	return strings.EqualFold(name, proto.Name)
}

// announces says whether the peer's metadata has the announcement that it drops keepalives.
func announces(md metadata.MD) bool { return slices.Contains(md.Get(MetadataKey), metadataValue) }

// receivingStream is a stream in which the server alone sends messages, after the first.
type receivingStream struct{ grpc.ClientStream }

func (s *receivingStream) RecvMsg(m any) error { return receive(s.ClientStream, m) }

// clientStream is a stream in which the client sends messages.
type clientStream struct {
	grpc.ClientStream
	sender *sender
	finish context.CancelFunc // ends the keepalives
}

func (s *clientStream) SendMsg(m any) error { return s.sender.send(m) }

// RecvMsg ends the keepalives when the stream has ended, also where an interceptor did not pass on OnFinish.
func (s *clientStream) RecvMsg(m any) error {
	err := receive(s.ClientStream, m)
	if err != nil {
		s.finish()
	}
	return err
}

// CloseSend ends the keepalives. It never waits for one that is in flight while the server does not read: then the stream
// is closed for sending right after it.
func (s *clientStream) CloseSend() error {
	s.finish()
	if !s.sender.close(s.ClientStream.CloseSend) {
		return nil
	}
	return s.ClientStream.CloseSend()
}

// keepAlive waits for the server's announcement, and then sends keepalives.
func (s *clientStream) keepAlive(ctx context.Context, conn grpc.ClientConnInterface, check featureCheck) {
	header, err := s.ClientStream.Header()
	if err != nil || !announces(header) {
		return
	}
	// Asked half an interval ahead, the answer is there in time. A stream that is never idle does not need it.
	for s.sender.waitIdle(ctx, s.sender.interval/2) {
		ok, err := bounded(ctx, conn, check)
		switch {
		case err == nil && ok:
			s.sender.keepAlive(ctx)
			return
		case err == nil:
			return
		case !pause(ctx, s.sender.interval):
			return
		}
	}
}

func bounded(ctx context.Context, conn grpc.ClientConnInterface, check featureCheck) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return check(ctx, conn)
}
