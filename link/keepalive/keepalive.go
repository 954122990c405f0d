package keepalive

import (
	"io"
	"time"
)

const (
	// ProtocolName is the name of the mini-protocol.
	ProtocolName = "keep-alive"
	// ProtocolID is its number in the segments of a node-to-node connection.
	ProtocolID uint16 = 8

	// DefaultKeepAlivePeriod is the time from one KeepAlive to the next. As it is not shorter than [ClientTimeout], a
	// client that keeps it sends every 54 s.
	DefaultKeepAlivePeriod = 60 * time.Second
	// DefaultKeepAliveTimeout is how long a client waits for an answer.
	DefaultKeepAliveTimeout = ServerTimeout

	// ClientTimeout is how long a server waits for the client's next message.
	ClientTimeout = 60 * time.Second
	// ServerTimeout is how long a client waits for the server's answer.
	ServerTimeout = 10 * time.Second
)

// CallbackContext says who makes a callback.
type CallbackContext struct {
	Client *Client // nil in the callbacks of a server
	Server *Server // nil in the callbacks of a client
	// RoundTrip is the time from the KeepAlive to its answer, in a KeepAliveResponseFunc. Else it is 0.
	RoundTrip time.Duration
}

type (
	// KeepAliveFunc is called by a server for each KeepAlive, with its cookie, before the answer is sent.
	KeepAliveFunc func(CallbackContext, uint16) error
	// KeepAliveResponseFunc is called by a client for each answer, with its cookie.
	KeepAliveResponseFunc func(CallbackContext, uint16) error
	// DoneFunc is called by a server when the client has said that it is done.
	DoneFunc func(CallbackContext) error
)

// Config is the configuration of a client and a server. The zero value has the defaults.
//
// Callbacks are made one at a time. They may call Stop, and must not wait for Done. The protocol waits for them: the time
// that a KeepAliveFunc takes is time that the client waits. An error of one ends the protocol; Err wraps it.
type Config struct {
	KeepAliveFunc         KeepAliveFunc
	KeepAliveResponseFunc KeepAliveResponseFunc
	DoneFunc              DoneFunc
	// Timeout is how long a client waits for an answer, from the moment that it sends the KeepAlive. Not positive: [DefaultKeepAliveTimeout].
	Timeout time.Duration
	// Period is the time from one KeepAlive of a client to the next. Not positive: [DefaultKeepAlivePeriod]. From
	// [ClientTimeout] upwards it is a tenth less than that limit. An answer that takes longer than the period delays the next KeepAlive.
	Period time.Duration
	// Cookie is the cookie of each KeepAlive of a client. Default 0.
	Cookie uint16
}

// KeepAliveOptionFunc is an option of [NewConfig].
type KeepAliveOptionFunc func(*Config)

// NewConfig returns a Config with the defaults, and then the options applied in their order.
func NewConfig(options ...KeepAliveOptionFunc) Config {
	cfg := Config{Timeout: DefaultKeepAliveTimeout, Period: DefaultKeepAlivePeriod}
	for _, option := range options {
		option(&cfg)
	}
	return cfg
}

// WithKeepAliveFunc sets [Config].KeepAliveFunc.
func WithKeepAliveFunc(f KeepAliveFunc) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.KeepAliveFunc = f }
}

// WithKeepAliveResponseFunc sets [Config].KeepAliveResponseFunc.
func WithKeepAliveResponseFunc(f KeepAliveResponseFunc) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.KeepAliveResponseFunc = f }
}

// WithDoneFunc sets [Config].DoneFunc.
func WithDoneFunc(f DoneFunc) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.DoneFunc = f }
}

// WithTimeout sets [Config].Timeout.
func WithTimeout(timeout time.Duration) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.Timeout = timeout }
}

// WithPeriod sets [Config].Period.
func WithPeriod(period time.Duration) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.Period = period }
}

// WithCookie sets [Config].Cookie.
func WithCookie(cookie uint16) KeepAliveOptionFunc {
	return func(cfg *Config) { cfg.Cookie = cookie }
}

// withDefaults returns a copy of the configuration, which may be nil, with a default for each time that is not positive.
func (cfg *Config) withDefaults() Config {
	if cfg == nil {
		return NewConfig()
	}
	full := *cfg
	if full.Timeout <= 0 {
		full.Timeout = DefaultKeepAliveTimeout
	}
	if full.Period <= 0 {
		full.Period = DefaultKeepAlivePeriod
	}
	return full
}

// sendPeriod is the time from one KeepAlive to the next: the configured period, or, where that would race with the
// server's limit, a tenth less than the limit.
func (cfg *Config) sendPeriod() time.Duration {
	if cfg.Period >= ClientTimeout {
		return ClientTimeout - ClientTimeout/10
	}
	return cfg.Period
}

// KeepAlive is both roles at one end of a connection: each end asks, and answers the other's questions.
type KeepAlive struct {
	Client *Client
	Server *Server
}

// New returns both roles. The connections are those that [Segments] returns, or any two that are independent of each
// other. A cfg of nil has the defaults. Start and stop the roles one by one: either may end alone.
func New(asClient, asServer io.ReadWriteCloser, cfg *Config) *KeepAlive {
	return &KeepAlive{Client: NewClient(asClient, cfg), Server: NewServer(asServer, cfg)}
}
