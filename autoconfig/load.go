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

// loadResult is the answer of the store.
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
	case loaded.err != nil: // also after Close: an operator should know
		r.m.loadFailed(loaded.err)
	case loaded.snapshot != nil && !r.streamApplied && r.m.ctx.Err() == nil:
		r.m.loggers.Infof("Starting from the configuration in %s, which the service confirmed at %s, with %d environments",
			storeName(r.m.store), loaded.snapshot.LastConfirmed().UTC().Format(time.RFC3339), len(loaded.snapshot.Environments))
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
		r.m.loadFailed(context.DeadlineExceeded)
	case <-r.m.ctx.Done():
		select {
		case loaded := <-r.loaded:
			r.applyLoaded(loaded)
		default:
		}
	}
}

// saveChanges has the saver save, if there is reason to, after a message of the stream. Messages that come before the
// first put are not the whole configuration, and would replace one. A put means that the service has accepted the key of
// the connection, and that the configuration equals the service's: it is saved even if it is the same, since the store
// may have lost it. The same goes for the first event of a resumed stream.
func (r *runner) saveChanges(confirmed bool) {
	if r.saver == nil || r.m.status.Source == SourceNone {
		return
	}
	if confirmed {
		r.saver.accepted(r.key)
	}
	revision := r.m.state.Revision()
	switch {
	case r.savedRevision != revision:
		r.savedRevision = revision
		r.saver.save()
	case confirmed:
		r.saver.confirm()
	}
}
