package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// storeEndLimit is how long the end of a manager waits for its store.
const storeEndLimit = 5 * time.Second

// loadResult is what the store answered.
type loadResult struct {
	snapshot *Snapshot // nil if there is none
	err      error
}

// load asks the store in a goroutine of its own, since it may be slow. The channel gets one result.
func load(ctx context.Context, store Store) <-chan loadResult {
	loaded := make(chan loadResult, 1)
	go func() {
		snapshot, err := store.Load(ctx)
		if err == nil && snapshot != nil && snapshot.FormatVersion != SnapshotFormat {
			err = fmt.Errorf("its format version is %d, and only %d is known here", snapshot.FormatVersion, SnapshotFormat)
		}
		loaded <- loadResult{snapshot, err}
	}()
	return loaded
}

// takeLoaded puts the stored configuration in force, unless the stream was first.
func (r *runner) takeLoaded(loaded loadResult) {
	r.loaded = nil
	switch {
	case errors.Is(loaded.err, context.Canceled):
	case loaded.err != nil: // also after Close: an operator should know
		r.m.loadFailed(loaded.err)
	case loaded.snapshot != nil && !r.streamApplied && r.m.ctx.Err() == nil:
		confirmed := loaded.snapshot.LastConfirmed()
		r.m.loggers.Infof("Starting from the configuration in %s, which the service confirmed at %s, with %d environments",
			storeName(r.m.store), confirmed.UTC().Format(time.RFC3339), len(loaded.snapshot.Environments))
		r.m.recordLoaded(confirmed)
		r.applyFrom(SourceStore, loaded.snapshot.message(), time.Now())
	}
}

// awaitLoaded is for the end of a manager that has failed for good before its store has answered: the relay can go on
// with the stored configuration all the same.
func (r *runner) awaitLoaded() {
	if r.loaded == nil {
		return
	}
	select {
	case loaded := <-r.loaded:
		r.takeLoaded(loaded)
	case <-time.After(storeEndLimit):
		r.m.loadFailed(context.DeadlineExceeded)
	case <-r.m.ctx.Done():
		select {
		case loaded := <-r.loaded:
			r.takeLoaded(loaded)
		default:
		}
	}
}

// saveChanges has the saver save, if there is reason to, after a message of the stream. Messages that come before the
// first put are not the whole configuration, and would replace one. A put means that the service has accepted the key of
// the connection, and that the configuration is what the service has: it is saved even if it is the same, since the store
// may have lost it.
func (r *runner) saveChanges(isPut bool) {
	if r.saver == nil || r.m.status.Source == SourceNone {
		return
	}
	if isPut {
		r.saver.accepted(r.conn.key)
	}
	revision := r.m.state.revision()
	switch {
	case r.savedRevision != revision:
		r.savedRevision = revision
		r.saver.save()
	case isPut:
		r.saver.confirm()
	}
}

// message makes a put of the snapshot, in the order of the ids.
func (s *Snapshot) message() putMessage {
	m := putMessage{&putList[config.EnvironmentID, environment]{}, &putList[config.FilterID, envfactory.FilterRep]{}}
	for _, id := range slices.Sorted(maps.Keys(s.Environments)) {
		rep := s.Environments[id]
		m.environments.add(id, itemOf(&rep), nil)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Filters)) {
		filter := s.Filters[id]
		m.filters.add(id, &item[envfactory.FilterRep]{value: filter, version: filter.Version}, nil)
	}
	return m
}

// snapshot makes a snapshot of the state, for the store.
func (m *StreamManager) snapshot() *Snapshot {
	m.mu.RLock()
	environments, filters := m.state.environments.unordered(), m.state.filters.unordered()
	confirmedAt := m.status.lastConfirmed()
	m.mu.RUnlock()
	s := &Snapshot{
		FormatVersion: SnapshotFormat,
		SavedAt:       time.Now().UTC(),
		ConfirmedAt:   confirmedAt.UTC(),
		Environments:  make(map[config.EnvironmentID]envfactory.EnvironmentRep, len(environments)),
		Filters:       make(map[config.FilterID]envfactory.FilterRep, len(filters)),
	}
	for _, env := range environments {
		s.Environments[env.id] = env.value.rep(env.version)
	}
	for _, filter := range filters {
		s.Filters[filter.id] = filter.value
	}
	return s
}
