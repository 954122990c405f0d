package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/hook"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
	"github.com/relayconf/relayconf/link/agent"
)

const (
	// hookGrace is how long a hook may go on after Ctrl-C.
	hookGrace = 5 * time.Second
	// The first wait before a connection is tried again.
	initialRetryDelay = time.Second
)

// follower is a running watch.
type follower struct {
	settings settings
	options  watchOptions
	stdout   *stdout
	print    func(change.Change) // prints a change
	over     <-chan struct{}     // ends an act of the demo; nil otherwise
	cache    cache               // nil if there is none
	foreign  chan error          // says that something else is where the cache should be

	tracker *change.Tracker
	manager *autoconfig.StreamManager
	output  *output.Writer // nil without --output-file
	hook    *hook.Runner   // nil without --exec
	agent   *agent.Agent   // nil without --link

	source        autoconfig.Source // of the latest change; only for the manager's goroutine
	complete      chan struct{}     // closed when the first full configuration is there, be it from the cache
	completeOnce  sync.Once
	confirmed     chan struct{} // closed when the stream has brought one
	confirmedOnce sync.Once
}

// watch is the command.
func watch(o watchOptions, initTimeoutSet bool) error {
	signals := catchSignals(context.Background(), o.keyFile)
	defer signals.end()
	catchClosedPipe()
	if o.demo {
		return watchDemo(o, initTimeoutSet, signals)
	}
	s, err := loadSettings(o.keyFile, o.logFormat)
	if err != nil {
		return err
	}
	if !initTimeoutSet {
		o.initTimeout = s.AutoConfig.InitTimeout
	}
	out := newStdout(o, s.loggers)
	f, err := newFollower(s, o, out)
	if err != nil {
		return err
	}
	return out.end(signals.stop, f.run(signals))
}

func newFollower(s settings, o watchOptions, out *stdout) (*follower, error) {
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
		cache = checkedCache{cache, foreign, new(atomic.Bool)}
	}
	return &follower{
		settings:  s,
		options:   o,
		stdout:    out,
		print:     out.print,
		cache:     cache,
		foreign:   foreign,
		complete:  make(chan struct{}),
		confirmed: make(chan struct{}),
	}, nil
}

// run follows the stream until there is a reason to end.
func (f *follower) run(signals signals) error {
	if err := f.start(); err != nil {
		return f.end(signals.stop, err)
	}
	if f.hook != nil {
		kill := f.hook.Kill
		signals.last.Store(&kill)
	}
	stopHealth, reason := f.startHealth()
	if reason == nil {
		reason = f.wait(signals)
	}
	stopHealth()
	return f.end(signals.stop, reason)
}

func (f *follower) start() error {
	f.startOutputs()
	f.makeManager()
	if err := f.startLink(); err != nil {
		return err
	}
	f.manager.Start()
	return nil
}

// startOutputs starts everything that changes are passed on to.
func (f *follower) startOutputs() {
	o, loggers := f.options, f.settings.loggers
	f.tracker = change.NewTracker(f.changed, time.Now)
	if o.outputFile != "" {
		f.output = output.Start(output.Options{Path: o.outputFile, Mode: o.outputMode, Snapshot: f.tracker.Snapshot,
			Report: loggers.Errorf, Recovered: loggers.Infof})
	}
	if o.hook != "" {
		f.hook = hook.Start(hook.Options{
			Command: o.hook, Timeout: o.hookTimeout, Grace: hookGrace, Settle: o.hookSettle,
			Output: os.Stderr, Report: loggers.Errorf, Before: f.flush,
		})
	}
}

func (f *follower) makeManager() {
	o, loggers := f.options, f.settings.loggers
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
}

// changed takes each change, in the manager's goroutine.
func (f *follower) changed(c change.Change) {
	f.sayWhereFrom(&c)
	f.print(c)
	if !c.Kind.OfConfiguration() {
		return
	}
	if c.Kind == change.ReceivedAll {
		// The outputs come first: --once ends when these are closed.
		if !c.FromCache {
			defer f.confirmedOnce.Do(func() { close(f.confirmed) })
		}
		defer f.completeOnce.Do(func() { close(f.complete) })
	}
	if f.output != nil {
		f.output.Changed()
	}
	if f.hook != nil {
		f.hook.Add(c)
	}
}

// isComplete tells whether there was a full configuration.
func (f *follower) isComplete() bool { return isClosed(f.complete) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// flush brings the file up to date, once the configuration is whole. If that fails the writer reports it and tries again
// by itself.
func (f *follower) flush(ctx context.Context) {
	if f.output != nil {
		_ = f.output.Flush(ctx)
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
	keys := f.settings.keyChanges(signals.stop, signals.hup)
	for {
		select {
		case <-confirmed:
			if f.options.once {
				f.sayWhetherWhole()
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
		case key := <-keys:
			f.manager.SetKey(key)
		case <-signals.stop.Done():
			if f.options.once && !isClosed(f.confirmed) {
				return withCode(exitInterrupted, errors.New("interrupted before the first full configuration was there"))
			}
			return nil
		case <-f.over:
			return nil
		case err := <-f.foreign:
			return withCode(exitUsage, err)
		case <-f.stdout.closed:
			return errClosedOutput
		case <-f.manager.Done():
			return withCode(exitPermanent, f.manager.Err())
		}
	}
}

// sayWhetherWhole warns at the end of --once if the service has sent environments that could not be used. The rest counts.
func (f *follower) sayWhetherWhole() {
	if status := f.manager.Status(); status.NeedsPut && status.LastError != nil {
		f.settings.loggers.Warnf("The configuration is not whole: %s. The rest of it counts; report this to the service",
			strings.ReplaceAll(status.LastError.Message, "\n", "; "))
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

// end stops everything. A failure in it becomes the reason for the end, unless there is one.
func (f *follower) end(stop context.Context, reason error) error {
	if f.agent != nil {
		f.agent.Close()
	}
	f.manager.Close()
	<-f.manager.Done() // 5 s at most, for the cache
	if f.cache != nil {
		_ = f.cache.Close() // the manager has reported a failure to save
	}
	return f.endOutputs(stop, reason)
}

// endOutputs brings the output file up to date, and then lets the hook run that reads it.
func (f *follower) endOutputs(stop context.Context, reason error) error {
	var failures []error
	if f.output != nil {
		failures = append(failures, withCode(exitOutput, f.output.Close()))
	}
	if f.hook != nil {
		failures = append(failures, f.endHooks(stop))
	}
	for _, failure := range failures {
		switch {
		case failure == nil:
		case reason == nil:
			reason = failure
		default:
			f.settings.loggers.Errorf("%s", failure)
		}
	}
	return reason
}

// endHooks waits until all have run, or, after a Ctrl-C, for the end of the running hook. With --once, hooks that failed or
// have not run are an error.
func (f *follower) endHooks(stop context.Context) error {
	counts := f.hook.Drain(stop)
	if counts.Waiting > 0 {
		f.settings.loggers.Warnf("The hook was not run for the last %d changes", counts.Waiting)
	}
	var failed error
	if counts.Failed > 0 {
		failed = fmt.Errorf("the hook failed in %d of %d runs", counts.Failed, counts.Failed+counts.Done)
	}
	switch {
	case f.options.once && stop.Err() != nil:
		return withCode(exitInterrupted, errors.New("interrupted before all hooks had run"))
	case f.options.once:
		return withCode(exitHook, failed)
	case failed != nil:
		f.settings.loggers.Warnf("%s", failed)
	}
	return nil
}
