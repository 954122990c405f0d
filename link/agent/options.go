package agent

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/relayconf/relayconf/httpconfig"
)

// The defaults of [WithBackoff].
const (
	DefaultFirstDelay   = 2 * time.Second
	DefaultLongestDelay = 30 * time.Second
)

// Option changes a setting of New.
type Option func(*settings)

type settings struct {
	name         string
	version      string
	logger       *slog.Logger
	transport    *http.Transport
	setLogLevel  func(level string) error // nil if it can't be set
	firstDelay   time.Duration
	longestDelay time.Duration
	ctx          context.Context // for the logger
}

func defaults() settings {
	return settings{
		logger:       slog.New(slog.DiscardHandler),
		transport:    httpconfig.HTTPConfig{}.Transport(),
		firstDelay:   DefaultFirstDelay,
		longestDelay: DefaultLongestDelay,
		ctx:          context.Background(),
	}
}

// WithName sets the name of the relay in the fleet: 1 to 128 bytes of printable UTF-8. No two relays of a fleet have the
// same. The default, also for an empty name, is the host's name.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithVersion sets the version of the relay's program, which people are shown.
func WithVersion(version string) Option { return func(s *settings) { s.version = version } }

// WithLogger sets where the agent logs. It logs no keys. The default is nowhere.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) {
		if logger != nil {
			s.logger = logger
		}
	}
}

// WithHTTPConfig sets the proxy and the certificate authorities for the link. The default is those of the zero HTTPConfig.
func WithHTTPConfig(c httpconfig.HTTPConfig) Option {
	return func(s *settings) { s.transport = c.Transport() }
}

// WithLogLevel sets the function that SetLogLevel of the hub calls, with debug, info, warn, error or none. Its error
// reaches the hub. Without it the function is not implemented.
func WithLogLevel(set func(level string) error) Option {
	return func(s *settings) { s.setLogLevel = set }
}

// WithBackoff sets the delays before the link is made again: any time up to first, then up to twice as much and so on up to
// longest; between half of longest and longest when the hub refuses the key or the name. The random part spreads a fleet
// whose hub has restarted. Defaults, also for values that are not positive: [DefaultFirstDelay], [DefaultLongestDelay].
func WithBackoff(first, longest time.Duration) Option {
	return func(s *settings) {
		if first > 0 && longest > 0 {
			s.firstDelay, s.longestDelay = first, longest
		}
	}
}
