package autoconfig

import (
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

// StreamManager follows the auto-configuration stream and tells a MessageHandler what changes.
type StreamManager struct {
	protocolVersion  int
	readTimeout      time.Duration
	maxEventSize     int
	retryRejectedKey bool
	statusListener   func(Status)
}

// NewStreamManager makes a manager.
func NewStreamManager(key config.AutoConfigKey, streamURI string, handler MessageHandler,
	httpConfig httpconfig.HTTPConfig, initialRetryDelay time.Duration, loggers ldlog.Loggers,
	options ...Option) *StreamManager {
	panic("not yet")
}

func (m *StreamManager) Start() <-chan error                          { panic("not yet") }
func (m *StreamManager) Close()                                       { panic("not yet") }
func (m *StreamManager) Done() <-chan struct{}                        { panic("not yet") }
func (m *StreamManager) Err() error                                   { panic("not yet") }
func (m *StreamManager) Status() Status                               { panic("not yet") }
func (m *StreamManager) SetKey(key config.AutoConfigKey)              { panic("not yet") }
func (m *StreamManager) Environments() []envfactory.EnvironmentParams { panic("not yet") }
