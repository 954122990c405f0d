package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/hook"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
)

const (
	// hookGrace is how long a hook may go on after Ctrl-C.
	hookGrace = 5 * time.Second
	// managerGrace is how long the last line may take to print after Ctrl-C, which never ends if nobody reads standard
	// output. It is more than the 5 s that the manager gives the cache.
	managerGrace = 6 * time.Second
	// The first wait before a connection is tried again.
	initialRetryDelay = time.Second
)

// follower is a running watch.
type follower struct {
	settings settings
	options  watchOptions
	line     func(change.Change) error // prints a change
	over     <-chan struct{}           // ends an act of the demo; nil otherwise
	cache    cache                     // nil if there is none
	foreign  chan error                // says that something else is where the cache should be

	tracker *change.Tracker
	manager *autoconfig.StreamManager
	output  *output.Writer // nil without --output-file
	hook    *hook.Runner   // nil without --exec

	source        autoconfig.Source // of the latest change; only for the manager's goroutine
	complete      chan struct{}     // closed when the first full configuration is there, be it from the cache
	completeOnce  sync.Once
	confirmed     chan struct{} // closed when the stream has brought one
	confirmedOnce sync.Once
	unprintable   chan error // holds the first failure to print
}

// watch is the command.
func watch(o watchOptions, initTimeoutSet bool) error {
	signals := catchSignals(context.Background())
	defer signals.end()
	if o.demo {
		return watchDemo(o, initTimeoutSet, signals)
	}
	s, err := loadSettings(o.keyFile)
	if err != nil {
		return err
	}
	if !initTimeoutSet {
		o.initTimeout = s.AutoConfig.InitTimeout
	}
	f, err := newFollower(s, o)
	if err != nil {
		return err
	}
	return f.run(signals)
}

func newFollower(s settings, o watchOptions) (*follower, error) {
	kept := o.cache.orElse(s.Cache)
	if err := checkFiles(o, kept); err != nil {
		return nil, err
	}
	cache, err := openCache(kept, s.key, s.loggers)
	if err != nil {
		return nil, err
	}
	foreign := make(chan error, 1)
	if cache != nil {
		cache = checkedCache{cache, foreign}
	}
	return &follower{
		settings:    s,
		options:     o,
		line:        newLine(o),
		cache:       cache,
		foreign:     foreign,
		complete:    make(chan struct{}),
		confirmed:   make(chan struct{}),
		unprintable: make(chan error, 1),
	}, nil
}

// run follows the stream until there is a reason to end.
func (f *follower) run(signals signals) error {
	f.start()
	if f.hook != nil {
		kill := f.hook.Kill
		signals.last.Store(&kill)
	}
	return f.end(signals.stop, f.wait(signals))
}

func (f *follower) start() {
	o, loggers := f.options, f.settings.loggers
	f.tracker = change.NewTracker(f.changed, time.Now)
	if o.outputFile != "" {
		f.output = output.Start(output.Options{Path: o.outputFile, Snapshot: f.tracker.Snapshot, Report: loggers.Errorf})
	}
	if o.hook != "" {
		f.hook = hook.Start(hook.Options{
			Command: o.hook, Timeout: o.hookTimeout, Grace: hookGrace, Output: os.Stderr, Report: loggers.Errorf,
			Before: f.flush,
		})
	}
	options := []autoconfig.Option{
		autoconfig.WithProtocolVersion(o.protocolVersion),
		autoconfig.WithReadTimeout(o.readTimeout),
		autoconfig.WithStatusListener(f.tracker.Status),
		autoconfig.WithChangeLogLevel(ldlog.Debug), // the command shows changes itself
	}
	if o.retryRejectedKey {
		options = append(options, autoconfig.WithRejectedKeyRetry())
	}
	if f.cache != nil {
		options = append(options, autoconfig.WithStore(f.cache))
	}
	f.manager = autoconfig.NewStreamManager(f.settings.key, f.settings.AutoConfig.StreamURI, f.tracker, f.settings.http,
		initialRetryDelay, loggers, options...)
	f.manager.Start()
}

// changed takes each change, in the manager's goroutine.
func (f *follower) changed(c change.Change) {
	f.sayWhereFrom(&c)
	f.print(c)
	if !c.Kind.OfConfiguration() {
		return
	}
	if c.Kind == change.ReceivedAll {
		// Queue first what --once waits for.
		if !c.FromCache {
			defer f.confirmedOnce.Do(func() { close(f.confirmed) })
		}
		defer f.completeOnce.Do(func() { close(f.complete) })
	}
	if f.output != nil && (c.Kind == change.ReceivedAll || f.isComplete()) {
		f.output.Changed()
	}
	if f.hook != nil {
		f.hook.Add(c)
	}
}

func (f *follower) print(c change.Change) {
	if err := f.line(c); err != nil {
		select {
		case f.unprintable <- fmt.Errorf("could not print a change: %w", err):
		default:
		}
	}
}

// isComplete tells whether there was a full configuration. Before there is one, the file is not written: a part must
// not be taken for the whole.
func (f *follower) isComplete() bool { return isClosed(f.complete) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// flush brings the file up to date. If that fails the writer reports it and tries again by itself.
func (f *follower) flush() {
	if f.output != nil {
		_ = f.output.Flush()
	}
}

// wait returns when there is a reason to end: an error, or nil if it is a good one.
func (f *follower) wait(signals signals) error {
	var timeout <-chan time.Time
	if f.options.initTimeout > 0 {
		timer := time.NewTimer(f.options.initTimeout)
		defer timer.Stop()
		timeout = timer.C
	}
	confirmed := f.confirmed
	for {
		select {
		case <-confirmed:
			if f.options.once {
				return nil
			}
			confirmed, timeout = nil, nil
		case <-timeout:
			switch {
			case isClosed(f.confirmed):
			case !f.isComplete():
				return withCode(exitInitTimeout, f.startFailure())
			case f.options.once:
				return f.endFromCache()
			}
		case <-signals.hup:
			if key, ok := f.settings.rereadKey(); ok {
				f.manager.SetKey(key)
			}
		case <-signals.stop.Done():
			if f.options.once && !isClosed(f.confirmed) {
				return withCode(exitInterrupted, errors.New("interrupted before the first full configuration was there"))
			}
			return nil
		case <-f.over:
			return nil
		case err := <-f.unprintable:
			return err
		case err := <-f.foreign:
			return withCode(exitUsage, err)
		case <-f.manager.Done():
			return withCode(exitPermanent, f.manager.Err())
		}
	}
}

// startFailure says why there is no configuration yet.
func (f *follower) startFailure() error {
	text := fmt.Sprintf("there is no full configuration after %s", change.Duration(f.options.initTimeout))
	switch status := f.manager.Status(); {
	case status.LastError != nil:
		return fmt.Errorf("%s; the last problem was: %s", text, status.LastError.Message)
	case status.Connections == 0:
		return fmt.Errorf("%s; the service has not answered yet", text)
	default:
		return fmt.Errorf("%s; the service has answered, but has not sent one", text)
	}
}

// end stops everything, and adds to the reason for the end what went wrong in it.
func (f *follower) end(stop context.Context, reason error) error {
	f.manager.Close()
	grace := time.NewTimer(managerGrace)
	defer grace.Stop()
	select {
	case <-f.manager.Done():
	case <-grace.C:
	}
	if f.cache != nil {
		_ = f.cache.Close() // what could not be saved, the manager has reported
	}
	f.flush()
	if f.hook != nil {
		f.endHooks(stop)
		if f.options.once && reason == nil && stop.Err() != nil {
			reason = withCode(exitInterrupted, errors.New("interrupted before all hooks had run"))
		}
	}
	if f.output == nil {
		return reason
	}
	if err := f.output.Close(); err != nil {
		if reason == nil {
			return withCode(exitOutput, err)
		}
		f.settings.loggers.Errorf("%s", err)
	}
	return reason
}

// endHooks waits until all have run, or, after a Ctrl-C, only the one that is running.
func (f *follower) endHooks(stop context.Context) {
	counts := f.hook.Drain(stop)
	if counts.Waiting > 0 {
		f.settings.loggers.Warnf("The hook was not run for the last %d changes", counts.Waiting)
	}
	if counts.Failed > 0 {
		f.settings.loggers.Warnf("The hook failed for %d of %d changes", counts.Failed, counts.Failed+counts.Done)
	}
}
