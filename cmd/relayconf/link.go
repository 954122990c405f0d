package main

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

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
		agent.WithHTTPConfig(s.http), agent.WithLogger(structuredLogger(s.loggers))}
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
	least atomic.Int32
	from  ldlog.LogLevel // below it, nothing is logged in the first place
}

// gated returns loggers whose level can be changed while they are in use, but not to below gate.from: lines below that,
// such as the dump of each event, are not even made.
func gated(base func(ldlog.LogLevel) ldlog.BaseLogger, level ldlog.LogLevel) (ldlog.Loggers, *logGate) {
	gate := &logGate{from: min(level, ldlog.Info)}
	gate.least.Store(int32(level))
	var loggers ldlog.Loggers
	for _, l := range []ldlog.LogLevel{ldlog.Debug, ldlog.Info, ldlog.Warn, ldlog.Error} {
		loggers.SetBaseLoggerForLevel(l, gatedLines{gate, l, base(l)})
	}
	loggers.SetMinLevel(gate.from)
	return loggers, gate
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
		g.least.Store(int32(l))
		return nil
	}
	return fmt.Errorf("%q is no log level", level)
}

// gatedLines is an ldlog.BaseLogger for one level.
type gatedLines struct {
	gate  *logGate
	level ldlog.LogLevel
	out   ldlog.BaseLogger
}

func (l gatedLines) open() bool { return int32(l.level) >= l.gate.least.Load() }

func (l gatedLines) Println(values ...any) {
	if l.open() {
		l.out.Println(values...)
	}
}

func (l gatedLines) Printf(format string, values ...any) {
	if l.open() {
		l.out.Printf(format, values...)
	}
}
