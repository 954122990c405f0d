package autoconfig

import "time"

// The defaults of the options.
const (
	DefaultProtocolVersion = 1
	DefaultReadTimeout     = 5 * time.Minute
	DefaultMaxEventSize    = 256 << 20
)

// Option changes a setting of NewStreamManager.
type Option func(*StreamManager)

// WithProtocolVersion sets the protocol version to ask for (the query parameter rpacProtocolVersion). Version 2 turns
// filters on. The default is 1, which sends no parameter.
func WithProtocolVersion(v int) Option { return func(m *StreamManager) { m.protocolVersion = v } }

// WithReadTimeout sets the longest silence on a live stream: if not even a comment comes for that long, the manager
// drops the connection and reconnects. The default, also for a d that is not positive, is 5 minutes.
func WithReadTimeout(d time.Duration) Option {
	return func(m *StreamManager) {
		if d > 0 {
			m.readTimeout = d
		}
	}
}

// WithMaxEventSize sets the largest event that is accepted, in bytes as received. A larger one makes the manager
// reconnect. The default, also for a size that is not positive, is 256 MiB.
func WithMaxEventSize(bytes int) Option {
	return func(m *StreamManager) {
		if bytes > 0 {
			m.maxEventSize = bytes
		}
	}
}

// WithRejectedKeyRetry makes a rejected key (HTTP status 401 or 403) something to retry, from 5 minutes up to an hour
// apart, rather than the end of the manager.
func WithRejectedKeyRetry() Option { return func(m *StreamManager) { m.retryRejectedKey = true } }

// WithStatusListener sets a function that is called on each change of State, in order, one call at a time. It may
// call any method of the manager. It delays the manager for as long as it runs.
func WithStatusListener(listener func(Status)) Option {
	return func(m *StreamManager) { m.statusListener = listener }
}
