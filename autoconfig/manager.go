package autoconfig

import (
	"context"
	"crypto/rand"
	"net/url"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/stream"
)

// StreamManager follows the auto-configuration stream and tells a MessageHandler of changes. Its methods may be
// called from any goroutine, the handler's calls included.
type StreamManager struct {
	settings
	streamURL         *url.URL
	streamURLError    error // why streamURL is missing
	dispatcher        dispatcher
	initialRetryDelay time.Duration
	storeKey          config.AutoConfigKey // the key of NewStreamManager: see KeyedStore
	instance          string

	ctx       context.Context // ends when Close is called
	cancel    context.CancelFunc
	ready     chan error
	announced sync.Once // guards the one value of ready
	done      chan struct{}

	mu       sync.RWMutex
	started  bool // also if Close came first, so that it can't be started any more
	key      config.AutoConfigKey
	line     *stream.Line // nil before Start
	state    *state.State
	needsPut bool // the known configuration lacks something: it can't be the base of a resumed stream
	status   statusRecord
	applied  appliedRecord
	err      error
}

// NewStreamManager makes a manager, which connects to nothing yet: see Start.
//
// The streamURI is the base URI of the service, for example config.DefaultStreamURI; a path and a query in it are
// kept. If it is not valid, Start says so. The initialRetryDelay is the wait before the first retry, which doubles
// with each further one up to 30 s; if it is not positive, it is 1 s. The key is sent as the httpConfig's client sends
// requests; the credential that httpConfig was made with does not matter here. The loggers' prefix, if they have one, is
// on each line; there is no other.
func NewStreamManager(key config.AutoConfigKey, streamURI string, handler MessageHandler,
	httpConfig httpconfig.HTTPConfig, initialRetryDelay time.Duration, loggers ldlog.Loggers,
	options ...Option) *StreamManager {
	s := settings{
		client:          httpConfig.Client(),
		loggers:         loggers,
		changeLevel:     ldlog.Info,
		protocolVersion: DefaultProtocolVersion,
		readTimeout:     DefaultReadTimeout,
		maxEventSize:    DefaultMaxEventSize,
	}
	for _, option := range options {
		option(&s)
	}
	m := &StreamManager{
		settings:          s,
		dispatcher:        newDispatcher(handler),
		initialRetryDelay: initialRetryDelay,
		ready:             make(chan error, 1),
		done:              make(chan struct{}),
		key:               key,
		storeKey:          key,
		instance:          rand.Text(),
		state:             state.New(),
		status:            statusRecord{Status: Status{State: StateInitializing, StateSince: time.Now(), Source: SourceNone}},
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.streamURL, m.streamURLError = stream.URL(streamURI, m.protocolVersion)
	return m
}

// Start begins to follow the stream. The channel that it returns gets one value: nil once connected, or the reason
// why the manager has ended before that (see Err). It is never closed. A connection that fails is retried for as long
// as that makes sense, so the value may take any time; meanwhile Status has the reason. Calling Start again returns
// the same channel.
func (m *StreamManager) Start() <-chan error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.started {
		m.started = true
		go newRunner(m).run()
	}
	return m.ready
}

// Close shuts the manager down for good: it drops the connection and ends every wait. It does not wait itself: see
// Done. A handler's call that is running is the last one. Close may be called twice, before Start, and inside a
// handler's call.
func (m *StreamManager) Close() {
	m.cancel()
	m.mu.Lock()
	neverStarted := !m.started
	m.started = true
	m.mu.Unlock()
	if neverStarted {
		m.finish(ErrClosed)
	}
}

// Done returns a channel that is closed when the manager has ended and every goroutine of it has too.
func (m *StreamManager) Done() <-chan struct{} { return m.done }

// Err returns nil while the manager runs or has not been started. Then it is why it ended: ErrClosed, ErrInvalidKey
// (wrapped), or an error that says why the stream URI is not valid.
func (m *StreamManager) Err() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.err
}

// SetKey rotates the auto-configuration key: the manager reconnects with it at once, and keeps the known configuration.
// It does nothing if the key is the same or the manager has ended.
func (m *StreamManager) SetKey(key config.AutoConfigKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key == m.key {
		return
	}
	m.key = key
	if m.line != nil {
		m.line.SetKey(key) // now, even if the run loop is busy with a slow handler
	}
}

// Key returns the key in force: the latest one of SetKey, or that of NewStreamManager.
func (m *StreamManager) Key() config.AutoConfigKey {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.key
}

// Instance returns the random id of this manager, which it sends with each request, in the header Relayconf-Instance. A
// hub tells relays behind one address apart by it, and knows by it which link of an agent and which stream are the same
// relay's. To a service that is no hub it means nothing. It is new with each manager and stored nowhere; show it to nobody
// else.
func (m *StreamManager) Instance() string { return m.instance }

// ProtocolVersion returns the protocol version that the manager asks for.
func (m *StreamManager) ProtocolVersion() int { return m.protocolVersion }

// Reconnect drops the connection, if there is one, and connects again after the usual delay, half a second to one and a
// half by default. It is for operators who want a relay to fetch the configuration anew or to move to another hub.
func (m *StreamManager) Reconnect() {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.line != nil {
		m.line.Reconnect()
	}
}

// Environments returns the known environments, sorted by EnvID. Keys that have expired are left out. It decodes each of
// them anew: with many environments, it is not for every request of a relay.
func (m *StreamManager) Environments() []envfactory.EnvironmentParams {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.Params(time.Now())
}

// Filters returns the known payload filters, sorted by ID. There are none with protocol version 1.
func (m *StreamManager) Filters() []envfactory.FilterParams {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.FilterParams()
}

// String returns the name of the type, for %v and %+v: the fields hold secrets.
func (m *StreamManager) String() string { return "autoconfig.StreamManager" }

// GoString is for %#v.
func (m *StreamManager) GoString() string { return m.String() }

// resumeFrom is the id to resume the stream from: the digest of the known configuration, if that is whole.
func (m *StreamManager) resumeFrom() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	switch {
	case m.status.Source == SourceNone:
		return ""
	case m.needsPut:
		return stream.PutNeeded
	}
	return m.state.Digest().String()
}

// finish makes the end known, in the order in which a relay would look at it.
func (m *StreamManager) finish(err error) {
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
	m.setState(StateOff)
	m.announce(err)
	close(m.done)
}

// announce gives Start's channel its value, if it has had none.
func (m *StreamManager) announce(err error) { m.announced.Do(func() { m.ready <- err }) }
