package change

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// Tracker is the message handler and the status listener of a stream manager. It remembers the configuration, so that it
// can describe an update, and passes each change on. Snapshot may be called from any goroutine.
type Tracker struct {
	sink func(Change)
	now  func() time.Time

	mu          sync.Mutex
	envs        map[config.EnvironmentID]*envfactory.EnvironmentParams // the params do not change: snapshots share them
	whole       bool                                                   // there was a put, and none is being applied
	filters     map[config.FilterID]envfactory.FilterParams
	interrupted time.Time // since when; zero if the stream is up
	lastError   time.Time // when the last error happened that a status told of
}

var _ interface {
	autoconfig.MessageHandler
	autoconfig.FilterHandler
	autoconfig.MobileKeyHandler
	autoconfig.KeepAliveHandler
	autoconfig.ChangeHandler
} = (*Tracker)(nil)

// NewTracker makes a tracker that passes each change to the sink, one at a time and in order, with the time that now
// gives. The sink must not call the tracker's own handler methods.
func NewTracker(sink func(Change), now func() time.Time) *Tracker {
	return &Tracker{
		sink:    sink,
		now:     now,
		envs:    make(map[config.EnvironmentID]*envfactory.EnvironmentParams),
		filters: make(map[config.FilterID]envfactory.FilterParams),
	}
}

// Snapshot is the configuration of one moment. It must not be modified.
type Snapshot struct {
	Environments []*envfactory.EnvironmentParams // sorted by id
	Filters      []envfactory.FilterParams       // sorted by id
}

// Snapshot returns the present configuration. It returns false before the first put and while one is being applied, when
// the service never had this configuration. A ReceivedAll then follows.
func (t *Tracker) Snapshot() (s Snapshot, whole bool) {
	t.mu.Lock()
	if !t.whole {
		t.mu.Unlock()
		return Snapshot{}, false
	}
	s.Environments = slices.AppendSeq(make([]*envfactory.EnvironmentParams, 0, len(t.envs)), maps.Values(t.envs))
	s.Filters = slices.AppendSeq(make([]envfactory.FilterParams, 0, len(t.filters)), maps.Values(t.filters))
	t.mu.Unlock() // the manager need not wait for the sorting
	slices.SortFunc(s.Environments, func(a, b *envfactory.EnvironmentParams) int { return cmp.Compare(a.EnvID, b.EnvID) })
	slices.SortFunc(s.Filters, func(a, b envfactory.FilterParams) int { return cmp.Compare(a.ID, b.ID) })
	return s, true
}

// Changes notes where a put begins. The changes themselves come with the other calls.
func (t *Tracker) Changes(put bool, _ []autoconfig.Change) {
	if !put {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whole = false
}

// AddEnvironment passes on an Added.
func (t *Tracker) AddEnvironment(params envfactory.EnvironmentParams) {
	t.mu.Lock()
	t.envs[params.EnvID] = &params
	t.mu.Unlock()
	t.send(Change{Kind: Added, Env: params})
}

// UpdateEnvironment passes on an Updated, with the environment as it was before.
func (t *Tracker) UpdateEnvironment(params envfactory.EnvironmentParams) {
	t.mu.Lock()
	before := t.known(params.EnvID)
	t.envs[params.EnvID] = &params
	t.mu.Unlock()
	t.send(Change{Kind: Updated, Env: params, Before: before})
}

// DeleteEnvironment passes on a Removed, with the environment as it was last.
func (t *Tracker) DeleteEnvironment(id config.EnvironmentID) {
	t.mu.Lock()
	last := t.known(id)
	delete(t.envs, id)
	t.mu.Unlock()
	last.EnvID = id
	t.send(Change{Kind: Removed, Env: last})
}

// known returns a copy of a known environment, or zero params.
func (t *Tracker) known(id config.EnvironmentID) envfactory.EnvironmentParams {
	if env := t.envs[id]; env != nil {
		return *env
	}
	return envfactory.EnvironmentParams{}
}

// ReceivedAllEnvironments passes on a ReceivedAll.
func (t *Tracker) ReceivedAllEnvironments() {
	t.mu.Lock()
	envs, filters := len(t.envs), len(t.filters)
	t.whole = true
	t.mu.Unlock()
	t.send(Change{Kind: ReceivedAll, Environments: envs, Filters: filters})
}

// KeyExpired forgets the key and passes on a KeyExpired.
func (t *Tracker) KeyExpired(id config.EnvironmentID, oldKey config.SDKKey) {
	env := t.change(id, func(p *envfactory.EnvironmentParams) { *p = p.WithoutSDKKey(oldKey) })
	t.send(Change{Kind: KeyExpired, Env: env, SDKKey: oldKey})
}

// MobileKeyExpired forgets the key and passes on a MobileKeyExpired.
func (t *Tracker) MobileKeyExpired(id config.EnvironmentID, oldKey config.MobileKey) {
	env := t.change(id, func(p *envfactory.EnvironmentParams) {
		p.AcceptedMobileKeys = slices.DeleteFunc(slices.Clone(p.AcceptedMobileKeys),
			func(k envfactory.AcceptedMobileKey) bool { return k.Value == oldKey })
	})
	t.send(Change{Kind: MobileKeyExpired, Env: env, MobileKey: oldKey})
}

// AddFilter passes on a FilterAdded.
func (t *Tracker) AddFilter(params envfactory.FilterParams) {
	t.mu.Lock()
	t.filters[params.ID] = params
	t.mu.Unlock()
	t.send(Change{Kind: FilterAdded, Filter: params})
}

// DeleteFilter passes on a FilterRemoved, with the filter as it was last.
func (t *Tracker) DeleteFilter(id config.FilterID) {
	t.mu.Lock()
	last := t.filters[id]
	delete(t.filters, id)
	t.mu.Unlock()
	last.ID = id
	t.send(Change{Kind: FilterRemoved, Filter: last})
}

// KeepAlive passes on a KeepAlive.
func (t *Tracker) KeepAlive(comment string) { t.send(Change{Kind: KeepAlive, Comment: comment}) }

// Status passes on an Interrupted or a Recovered, if the status is one. It is for autoconfig.WithStatusListener.
func (t *Tracker) Status(status autoconfig.Status) {
	t.mu.Lock()
	// A connection may also be given up without an error. The last error of the status is an older one then.
	reason := "reconnecting, as the service asked for it or the key was changed"
	if status.LastError != nil && !status.LastError.Time.Equal(t.lastError) {
		reason, t.lastError = status.LastError.Message, status.LastError.Time
	}
	since := t.interrupted
	t.interrupted = time.Time{}
	if status.State == autoconfig.StateInterrupted {
		t.interrupted = status.StateSince
	}
	t.mu.Unlock()
	switch {
	case status.State == autoconfig.StateInterrupted:
		t.send(Change{Kind: Interrupted, Reason: reason})
	case status.State == autoconfig.StateValid && !since.IsZero():
		t.send(Change{Kind: Recovered, Lost: status.StateSince.Sub(since)})
	}
}

func (t *Tracker) send(c Change) {
	c.Time = t.now()
	t.sink(c)
}

// change applies a function to a copy of a known environment, and returns the result.
func (t *Tracker) change(id config.EnvironmentID, apply func(*envfactory.EnvironmentParams)) envfactory.EnvironmentParams {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.envs[id] == nil {
		return envfactory.EnvironmentParams{EnvID: id}
	}
	env := t.known(id)
	apply(&env)
	t.envs[id] = &env
	return env
}
