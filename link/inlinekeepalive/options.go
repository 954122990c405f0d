package inlinekeepalive

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

const (
	// Feature is the name of this package's feature in the answer to GetVersionInfo.
	Feature = "inline-keepalives"
	// MetadataKey says, in the metadata of a stream and in its header, that the sender drops keepalives. Its value is "true".
	MetadataKey = "inline-keepalives"

	metadataValue = "true"

	// defaultInterval is half of the 60 s after which load balancers cut a stream by default.
	defaultInterval = 30 * time.Second
	// headerGrace is the least time that a handler has to set and send its header. It is there for short intervals:
	// the work of a handler before its header, such as to check who calls, seldom takes a second.
	headerGrace = time.Second
	// checkTimeout bounds one check of a server's features. It is far more than a unary call needs.
	checkTimeout = 10 * time.Second
)

// Option is an option of [StreamClientInterceptor] and [StreamServerInterceptor].
type Option func(*config)

// featureCheck asks whether the server behind a connection drops keepalives.
type featureCheck func(ctx context.Context, conn grpc.ClientConnInterface) (bool, error)

type config struct {
	interval time.Duration
	check    featureCheck
}

func newConfig(options []Option) config {
	cfg := config{interval: defaultInterval, check: hasFeature}
	for _, option := range options {
		option(&cfg)
	}
	return cfg
}

// headerDelay is how long an idle handler's header is held back for the handler to set it.
func (cfg config) headerDelay() time.Duration { return max(cfg.interval/2, headerGrace) }

// WithInterval sets how long a side sends nothing before it sends a keepalive. Default 30 s, also for one that is not
// positive. Half of the shortest idle timeout on the way is a good choice.
func WithInterval(interval time.Duration) Option {
	return func(cfg *config) {
		if interval <= 0 {
			interval = defaultInterval
		}
		cfg.interval = interval
	}
}

// WithFeatureCheck sets how a client learns whether the server behind a connection drops keepalives. Default: whether
// GetVersionInfo lists [Feature]. It is called in the background with the stream's context, metadata included, bounded to
// 10 s; an error means that it is not known yet. The stream's own header must say so as well.
func WithFeatureCheck(check func(ctx context.Context, conn grpc.ClientConnInterface) (bool, error)) Option {
	return func(cfg *config) { cfg.check = check }
}
