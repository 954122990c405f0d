package wsmux

import (
	"io"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
)

// Option changes a default of ServeGRPC or DialGRPC.
type Option func(*settings)

// settings of ServeGRPC and DialGRPC. Each uses its own half.
type settings struct {
	server []grpc.ServerOption
	dial   []grpc.DialOption
	yamux  *yamux.Config
	limits Limits
}

func newSettings(options []Option) settings {
	s := settings{yamux: yamux.DefaultConfig()}
	s.yamux.LogOutput = io.Discard // every error reaches the calls
	for _, option := range options {
		option(&s)
	}
	return s
}

// WithServerOptions adds options for the grpc.Server of ServeGRPC. They come after those of this package (MaxMsgSize both
// ways), so they win. DialGRPC ignores them.
func WithServerOptions(options ...grpc.ServerOption) Option {
	return func(s *settings) { s.server = append(s.server, options...) }
}

// WithDialOptions adds options for the grpc.ClientConn of DialGRPC. They come after those of this package (MaxMsgSize both
// ways, no credentials, since the WebSocket has its own), so they win. ServeGRPC ignores them.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, options...) }
}

// WithYamuxConfig sets the configuration of yamux; it is copied. The default is yamux.DefaultConfig with no log: a ping each
// 30 s with 10 s for the answer, and a window of 256 KiB for each stream. A stream carries at most one window in each round
// trip, so raise MaxStreamWindowSize for fast lines with long round trips. Nil keeps the default.
func WithYamuxConfig(config *yamux.Config) Option {
	if config == nil {
		return func(*settings) {}
	}
	config = config.Clone()
	return func(s *settings) { s.yamux = config }
}
