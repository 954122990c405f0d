package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// storeEndLimit is how long the end of a manager waits for its store.
const storeEndLimit = 5 * time.Second

// storeHeadStart is how long the first connection waits for the store, so that it can go on from the stored configuration.
// A local file takes a few milliseconds, and a database on the same network some tens.
const storeHeadStart = 200 * time.Millisecond

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

// applyLoaded puts the stored configuration in force, unless the stream was first.
func (r *runner) applyLoaded(loaded loadResult) {
	r.loaded = nil
	defer r.endHeadStart()
	switch {
	case errors.Is(loaded.err, context.Canceled):
	case loaded.err != nil: // also after Close: it may say where what could not be used was set aside
		r.m.storeFailed("The last known configuration could not be loaded", loaded.err)
	case loaded.snapshot != nil && !r.streamApplied && r.m.ctx.Err() == nil:
		r.m.loggers.Infof("Starting from the configuration that was saved at %s, with %d environments",
			loaded.snapshot.SavedAt.UTC().Format(time.RFC3339), len(loaded.snapshot.Environments))
		r.m.recordSnapshot(loaded.snapshot.SavedAt)
		r.applySnapshot(loaded.snapshot, time.Now())
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
		r.applyLoaded(loaded)
	case <-time.After(storeEndLimit):
		r.m.storeFailed("The last known configuration could not be loaded", context.DeadlineExceeded)
	case <-r.m.ctx.Done():
		select {
		case loaded := <-r.loaded:
			r.applyLoaded(loaded)
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
	if revision := r.m.state.Revision(); r.savedRevision != revision {
		r.savedRevision = revision
		r.saver.save()
	}
}
