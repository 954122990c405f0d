package autoconfig

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// The defaults of the options.
const (
	DefaultProtocolVersion = 1
	DefaultReadTimeout     = 5 * time.Minute
	DefaultMaxEventSize    = 256 << 20
)

// Option changes a setting of NewStreamManager. It has no effect on a manager that was made already.
type Option func(*settings)

// settings are the values that options change.
type settings struct {
	client           *http.Client
	loggers          ldlog.Loggers
	changeLevel      ldlog.LogLevel
	protocolVersion  int
	readTimeout      time.Duration
	maxEventSize     int
	retryRejectedKey bool
	statusListener   func(Status)
	store            Store // nil if there is none
}

// WithProtocolVersion sets the protocol version to ask for (the query parameter rpacProtocolVersion). Version 2 turns
// filters on. The default is 1, which sends no parameter.
func WithProtocolVersion(v int) Option { return func(s *settings) { s.protocolVersion = v } }

// WithReadTimeout sets the longest silence on a live stream: if not even a comment comes for that long, the manager
// drops the connection and reconnects. The default, also for a d that is not positive, is 5 minutes.
func WithReadTimeout(d time.Duration) Option {
	return func(s *settings) {
		if d > 0 {
			s.readTimeout = d
		}
	}
}

// WithMaxEventSize sets the largest event that is accepted, in bytes, decompressed. A larger one makes the manager
// reconnect. The default, also for a size that is not positive, is 256 MiB.
func WithMaxEventSize(bytes int) Option {
	return func(s *settings) {
		if bytes > 0 {
			s.maxEventSize = bytes
		}
	}
}

// WithRejectedKeyRetry makes a rejected key (HTTP status 401 or 403) something to retry, from 5 minutes up to an hour
// apart, rather than the end of the manager.
func WithRejectedKeyRetry() Option { return func(s *settings) { s.retryRejectedKey = true } }

// WithStatusListener sets a function that is called on each change of State, in order, one call at a time; and when a
// configuration was loaded from the store, before the handler's calls; and when a hub says that the service has confirmed
// the configuration that it had stored. It may call any method of the manager. It delays the manager for as long as it
// runs.
func WithStatusListener(listener func(Status)) Option {
	return func(s *settings) { s.statusListener = listener }
}

// WithHTTPClient makes the manager send its requests with this client, instead of the one of the HTTPConfig. It is for
// relays that have a client already. The client must set no limit on how long a response may last, so its Timeout has to
// be 0; see package httpconfig for the limits that suit a stream. The default, also for nil, is the HTTPConfig's.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) {
		if client != nil {
			s.client = client
		}
	}
}

// WithChangeLogLevel sets the level at which changes to the configuration are logged: environments and filters that were
// added, updated or removed, and keys that have expired. The default is ldlog.Info.
func WithChangeLogLevel(level ldlog.LogLevel) Option {
	return func(s *settings) { s.changeLevel = level }
}

// WithLogger makes the manager log to a slog.Logger, instead of the ldlog.Loggers. Its handler decides on the levels.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.loggers = slogLoggers(logger) }
}
