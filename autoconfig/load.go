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
	case loaded.err != nil: // also after Close: it may say where what could not be used was set aside
		r.m.storeFailed("The last known configuration could not be loaded", loaded.err)
	case loaded.snapshot != nil && !r.streamApplied && r.m.ctx.Err() == nil:
		r.m.loggers.Infof("Starting from the configuration that was saved at %s, with %d environments",
			loaded.snapshot.SavedAt.UTC().Format(time.RFC3339), len(loaded.snapshot.Environments))
		r.m.recordSnapshot(loaded.snapshot.SavedAt)
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
		r.m.storeFailed("The last known configuration could not be loaded", context.DeadlineExceeded)
	case <-r.m.ctx.Done():
		select {
		case loaded := <-r.loaded:
			r.takeLoaded(loaded)
		default:
		}
	}
}

// saveChanges saves what is not in the store yet, after a message from this source. What the stream has sent before
// its first put is not the whole configuration, and would replace one. What was loaded is saved once the stream has
// confirmed it, so that its age is that of the confirmation, and that it is encrypted with the present key.
func (r *runner) saveChanges(source Source) {
	if source == SourceStore || r.m.status.Source == SourceNone {
		return
	}
	if revision := r.m.state.revision(); r.savedRevision != revision {
		r.savedRevision = revision
		r.saver.save()
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

// snapshot is what the store gets.
func (m *StreamManager) snapshot() *Snapshot {
	m.mu.RLock()
	environments, filters := m.state.environments.unordered(), m.state.filters.unordered()
	m.mu.RUnlock()
	s := &Snapshot{
		FormatVersion: SnapshotFormat,
		SavedAt:       time.Now().UTC(),
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
