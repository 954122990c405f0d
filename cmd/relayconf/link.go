package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/link/agent"
)

// startLink makes the link before the manager is started, so that the hub knows that they belong together.
func (f *follower) startLink() (err error) {
	if f.options.link == "" {
		return nil
	}
	s := f.settings
	module, _ := moduleVersion()
	options := []agent.Option{agent.WithName(f.options.name), agent.WithVersion("relayconf " + module),
		agent.WithHTTPConfig(s.http), agent.WithLogger(s.logger)}
	if s.gate != nil {
		options = append(options, agent.WithLogLevel(s.gate.set))
	}
	f.agent, err = agent.New(f.manager, f.options.link, options...)
	if err != nil {
		return usageError("--link or --name can't be used: %s", strings.TrimPrefix(err.Error(), "agent: "))
	}
	f.agent.Start()
	return nil
}

// logGate lets through the lines that the current log level allows.
type logGate struct {
	least atomic.Int32   // a slog.Level
	from  ldlog.LogLevel // below it, nothing is logged in the first place
}

// gated returns loggers whose level can be changed while they are in use, but not to below gate.from: lines below that,
// such as the dump of each event, are not even made.
func gated(out io.Writer, format string, level ldlog.LogLevel) (*slog.Logger, ldlog.Loggers, *logGate) {
	gate := &logGate{from: min(level, ldlog.Info)}
	gate.least.Store(int32(logging.Level(level)))
	logger := slog.New(gatedHandler{logging.New(out, format, gate.from).Handler(), gate})
	return logger, logging.Loggers(logger, gate.from), gate
}

// set sets the level by its name.
func (g *logGate) set(level string) error {
	for _, l := range []ldlog.LogLevel{ldlog.Debug, ldlog.Info, ldlog.Warn, ldlog.Error, ldlog.None} {
		if !strings.EqualFold(l.Name(), level) {
			continue
		}
		if l < g.from {
			return fmt.Errorf("this relay was not started with LOG_LEVEL=%s, so it can't log at that level", level)
		}
		g.least.Store(int32(logging.Level(l)))
		return nil
	}
	return fmt.Errorf("%q is no log level", level)
}

// gatedHandler passes on the records that the gate lets through.
type gatedHandler struct {
	slog.Handler
	gate *logGate
}

func (h gatedHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.Level(h.gate.least.Load()) && h.Handler.Enabled(ctx, level)
}

func (h gatedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return gatedHandler{h.Handler.WithAttrs(attrs), h.gate}
}

func (h gatedHandler) WithGroup(name string) slog.Handler {
	return gatedHandler{h.Handler.WithGroup(name), h.gate}
}
