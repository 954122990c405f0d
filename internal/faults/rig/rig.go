// Package rig is shared by the tests of this module: a relay that follows a service.
package rig

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

const (
	// Key is the auto-configuration key of every relay here.
	Key = config.AutoConfigKey("rel-00000000-0000-4000-8000-00000000secr")

	// RetryDelay is the initial one, if Options don't say otherwise: short, because no test is about the wait.
	RetryDelay = 5 * time.Millisecond

	// Soon is a deadline for things that ought to happen at once, on a slow machine.
	Soon = time.Minute
)

// View is the configuration that a relay serves: the name of each environment. In these tests the name says the version.
type View map[config.EnvironmentID]string

// Environment is one whose name says its version.
func Environment(number, version int) envfactory.EnvironmentRep {
	rep := autoconfigtest.MakeEnvironment(number, version)
	rep.EnvName = fmt.Sprintf("version %d", version)
	return rep
}

// ViewOf is the view of a relay that knows these environments.
func ViewOf(reps ...envfactory.EnvironmentRep) View {
	view := View{}
	for _, rep := range reps {
		view[rep.EnvID] = rep.EnvName
	}
	return view
}

// Options are the settings that a test may change.
type Options struct {
	Proxy      config.ProxyConfig
	RetryDelay time.Duration
	Manager    []autoconfig.Option
}

// Relay follows a service. It keeps a view by the calls of its handler, and complains of calls that are not legal.
type Relay struct {
	Manager *autoconfig.StreamManager
	Ready   <-chan error

	mu      sync.Mutex
	view    View
	puts    int
	log     strings.Builder
	changed chan struct{} // closed at the next call
	illegal []string
}

// Follow starts a relay, which is closed when the test ends.
func Follow(tb testing.TB, uri string, options Options) *Relay {
	tb.Helper()
	r := New(tb, uri, options)
	r.Ready = r.Manager.Start()
	tb.Cleanup(func() {
		r.Close()
		if illegal := r.illegalCalls(); len(illegal) > 0 {
			tb.Errorf("illegal calls: %q", illegal)
		}
		if text := r.Log(); strings.Contains(text, string(Key)) {
			tb.Error("the log shows the auto-configuration key")
		}
	})
	return r
}

// New makes a relay that is not started and is for the caller to close.
func New(tb testing.TB, uri string, options Options) *Relay {
	tb.Helper()
	httpConfig, err := httpconfig.NewHTTPConfig(options.Proxy, nil, "relayconf-faults/1.0", ldlog.NewDisabledLoggers())
	if err != nil {
		tb.Fatal(err)
	}
	if options.RetryDelay == 0 {
		options.RetryDelay = RetryDelay
	}
	r := &Relay{view: View{}, changed: make(chan struct{})}
	loggers := ldlog.NewDefaultLoggers()
	loggers.SetBaseLogger((*relayLog)(r))
	r.Manager = autoconfig.NewStreamManager(Key, uri, r, httpConfig, options.RetryDelay, loggers, options.Manager...)
	return r
}

// Close closes the manager and waits for its end.
func (r *Relay) Close() {
	r.Manager.Close()
	<-r.Manager.Done()
}

// View returns the present view.
func (r *Relay) View() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.view)
}

// Puts returns how many whole configurations came.
func (r *Relay) Puts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.puts
}

// Log returns the log, at level info.
func (r *Relay) Log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// WaitForView waits until the relay serves that, and returns how long it took.
func (r *Relay) WaitForView(tb testing.TB, want View, within time.Duration) time.Duration {
	tb.Helper()
	return r.wait(tb, within, func() (bool, string) {
		return maps.Equal(r.view, want), fmt.Sprintf("the view is %v and not %v", r.view, want)
	})
}

// WaitForPuts waits until n whole configurations came, counted from the start.
func (r *Relay) WaitForPuts(tb testing.TB, n int, within time.Duration) {
	tb.Helper()
	r.wait(tb, within, func() (bool, string) { return r.puts >= n, fmt.Sprintf("there were %d puts of %d", r.puts, n) })
}

func (r *Relay) wait(tb testing.TB, within time.Duration, reached func() (bool, string)) time.Duration {
	tb.Helper()
	start := time.Now()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		r.mu.Lock()
		ok, problem := reached()
		changed := r.changed
		r.mu.Unlock()
		if ok {
			return time.Since(start)
		}
		select {
		case <-changed:
		case <-timer.C:
			tb.Fatalf("after %s %.600s; the status is %+v, the last error %+v", within, problem, r.Manager.Status(),
				r.Manager.Status().LastError)
		}
	}
}

func (r *Relay) illegalCalls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.illegal
}

// called makes a change and wakes who waits for it.
func (r *Relay) called(call string, id config.EnvironmentID, wantThere bool, change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.view[id]; there != wantThere {
		r.illegal = append(r.illegal, fmt.Sprintf("%s %.80s", call, id))
	}
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// AddEnvironment implements autoconfig.MessageHandler.
func (r *Relay) AddEnvironment(p envfactory.EnvironmentParams) {
	r.called("add", p.EnvID, false, func() { r.view[p.EnvID] = p.Identifiers.EnvName })
}

// UpdateEnvironment implements autoconfig.MessageHandler.
func (r *Relay) UpdateEnvironment(p envfactory.EnvironmentParams) {
	r.called("update", p.EnvID, true, func() { r.view[p.EnvID] = p.Identifiers.EnvName })
}

// DeleteEnvironment implements autoconfig.MessageHandler.
func (r *Relay) DeleteEnvironment(id config.EnvironmentID) {
	r.called("delete", id, true, func() { delete(r.view, id) })
}

// ReceivedAllEnvironments implements autoconfig.MessageHandler.
func (r *Relay) ReceivedAllEnvironments() { r.called("all", "", false, func() { r.puts++ }) }

// KeyExpired implements autoconfig.MessageHandler.
func (r *Relay) KeyExpired(id config.EnvironmentID, _ config.SDKKey) {
	r.called("key expired", id, true, func() {})
}

// relayLog keeps the log.
type relayLog Relay

func (l *relayLog) Println(values ...any)               { l.add(fmt.Sprintln(values...)) }
func (l *relayLog) Printf(format string, values ...any) { l.add(fmt.Sprintf(format, values...) + "\n") }

func (l *relayLog) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log.WriteString(text)
}
