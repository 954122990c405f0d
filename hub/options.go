package hub

import (
	"log/slog"
	"time"
)

// The defaults of the options.
const (
	DefaultKeepalive     = time.Minute
	DefaultWriteTimeout  = time.Minute
	DefaultRecentEvents  = 4096
	DefaultRecentBytes   = 4 << 20
	DefaultAdmissionRate = 64 << 20
	DefaultAdmissionMax  = 256 << 20
)

// Option changes a setting of New.
type Option func(*settings)

type settings struct {
	keepalive       time.Duration
	writeTimeout    time.Duration
	recentEvents    int
	recentBytes     int
	admissionRate   int
	admissionMax    int
	unknownKeyGrace time.Duration
	logger          *slog.Logger
	delivered       func(time.Duration)
}

func defaults() settings {
	return settings{
		keepalive:     DefaultKeepalive,
		writeTimeout:  DefaultWriteTimeout,
		recentEvents:  DefaultRecentEvents,
		recentBytes:   DefaultRecentBytes,
		admissionRate: DefaultAdmissionRate,
		admissionMax:  DefaultAdmissionMax,
		logger:        slog.New(slog.DiscardHandler),
	}
}

// WithKeepalive sets how often each relay gets a comment that shows that the stream lives. Relays take a stream that is
// silent for 5 minutes for dead. The first comes after a random part of that time, so that relays which connect together
// don't get theirs together. The default, also for a d that is not positive, is a minute.
func WithKeepalive(d time.Duration) Option {
	return func(s *settings) {
		if d > 0 {
			s.keepalive = d
		}
	}
}

// WithWriteTimeout sets for how long one write, of at most 64 KiB, may be pending before the relay is dropped. The
// default, also for a d that is not positive, is a minute.
func WithWriteTimeout(d time.Duration) Option {
	return func(s *settings) {
		if d > 0 {
			s.writeTimeout = d
		}
	}
}

// WithRecentPast sets how many events, and how many bytes of them, each view keeps for relays that resume or lag. A relay
// that needs older ones gets a put. The defaults, also for values that are not positive, are 4,096 events and 4 MiB.
func WithRecentPast(events, bytes int) Option {
	return func(s *settings) {
		if events > 0 {
			s.recentEvents = events
		}
		if bytes > 0 {
			s.recentBytes = bytes
		}
	}
}

// WithAdmission limits the puts that are begun for relays that connect: bytesPerSecond on average, and up to burst
// bytes at once, counted as they go over the wire. Relays beyond it get status 503 with a
// Retry-After that spreads them, and, for package autoconfig, the exact moment in Relayconf-Retry-After. A relay that
// resumes is always let in. The defaults, also for values that are not positive, are 64 MiB and 256 MiB.
func WithAdmission(bytesPerSecond, burst int) Option {
	return func(s *settings) {
		if bytesPerSecond > 0 {
			s.admissionRate = bytesPerSecond
		}
		if burst > 0 {
			s.admissionMax = burst
		}
	}
}

// WithUnknownKeyGrace sets for how long an unknown key gets status 503, which relays retry, before it gets 401, which is
// final for them. So a key may reach the relays before it reaches this hub. The default is 0: no grace.
func WithUnknownKeyGrace(d time.Duration) Option {
	return func(s *settings) { s.unknownKeyGrace = max(0, d) }
}

// WithLogger sets where the hub logs. No key is logged whole. What happens to many relays with one key has one line at once
// and one line for the rest, each 10 s. The default is nowhere.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) {
		if logger != nil {
			s.logger = logger
		}
	}
}

// WithDeliveryObserver sets a function that is called for each event that was written to a relay as a patch or a delete,
// with the time since Changes brought it. Calls come from many goroutines at once and must be quick.
func WithDeliveryObserver(observe func(time.Duration)) Option {
	return func(s *settings) { s.delivered = observe }
}
