// Package filewatch tells when files and folders have changed, however they are changed: written in place, replaced by
// a rename, or swapped by a symbolic link, as Kubernetes does it. It waits until writers have finished, so that nobody
// reads a file that is half written.
package filewatch

import (
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The times of a Watcher.
const (
	// settleReplaced is how long replaced files must stay the same: a replacement is whole at once, but several files of
	// a folder are replaced one after the other.
	settleReplaced = 100 * time.Millisecond
	// settleWritten is how long files that were written in place must stay the same: a writer may pause, and may close
	// the file and append to it again.
	settleWritten = time.Second
	// pollInterval finds the changes that the system reports no event for, as on network file systems.
	pollInterval = 2 * time.Second
)

// Watcher owns one goroutine, which ends with Close.
type Watcher struct {
	paths   []string
	reread  func() error
	events  *fsnotify.Watcher // nil if the system has none to give: polling has to do
	closing chan struct{}
	closed  sync.Once
	ended   chan struct{}

	seen    state // as of the latest look
	applied state // as of the latest reread
	dirty   bool  // there is a change that was not reread yet
}

// Start starts to watch files and folders; the subfolders of a folder are not watched. None has to exist yet. After each
// change, reread is called in the watcher's goroutine once the files have settled. If it returns ErrBeingWritten, it is
// called again when they have settled again; any other result ends the matter until the next change.
//
// The caller reads the files itself before Start, and passes the State that it took before reading, so that no change in
// between is missed.
func Start(before State, reread func() error) *Watcher {
	w := &Watcher{
		paths:   before.paths,
		reread:  reread,
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		seen:    before.state,
		applied: before.state,
	}
	if events, err := fsnotify.NewWatcher(); err == nil {
		w.events = events
		w.watchFolders()
	}
	go w.run()
	return w
}

// Close ends the watcher, and waits until a running reread has returned. It may be called twice, but not by reread.
func (w *Watcher) Close() {
	w.closed.Do(func() { close(w.closing) })
	<-w.ended
}

func (w *Watcher) run() {
	defer close(w.ended)
	var events chan fsnotify.Event
	var failures chan error
	if w.events != nil {
		defer w.events.Close()
		events, failures = w.events.Events, w.events.Errors
	}
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	settle := time.NewTimer(0) // at once: a change may have come before the watcher
	defer settle.Stop()
	for {
		select {
		case <-w.closing:
			return
		case event := <-events:
			if w.isOurs(event.Name) {
				w.dirty = true
				settle.Reset(settleReplaced)
			}
		case <-failures: // an overflow of the queue of events: look
			w.look(settle)
		case <-poll.C:
			w.look(settle)
		case <-settle.C:
			w.settled(settle)
		}
	}
}

// look finds changes without the help of events.
func (w *Watcher) look(settle *time.Timer) {
	if now := take(w.paths); !now.equal(w.seen) {
		w.seen, w.dirty = now, true
		settle.Reset(w.settleTime())
	}
}

// settled is called after a time without a change, if there really was none.
func (w *Watcher) settled(settle *time.Timer) {
	now := take(w.paths)
	switch {
	case !now.equal(w.seen):
		w.seen, w.dirty = now, true
		settle.Reset(w.settleTime())
		return
	case !w.dirty:
		return
	}
	if w.events != nil {
		w.watchFolders() // links may point elsewhere now
	}
	if errors.Is(w.reread(), ErrBeingWritten) {
		settle.Reset(settleWritten)
		return
	}
	w.dirty, w.applied = false, now
}

func (w *Watcher) settleTime() time.Duration {
	if w.seen.writtenInPlace(w.applied) {
		return settleWritten
	}
	return settleReplaced
}

// isOurs tells whether an event is about a path, or about something in a folder that is watched for its content. Other
// events come from the folders that the paths are in, and lead to a look at most.
func (w *Watcher) isOurs(name string) bool {
	for _, path := range w.paths {
		if name == path || filepath.Dir(name) == path || filepath.Base(name) == filepath.Base(path) {
			return true
		}
	}
	// A link in the way was replaced. The fingerprints tell.
	return !take(w.paths).equal(w.seen)
}

// watchFolders asks for the events of every folder in which a change of a name can change the files.
func (w *Watcher) watchFolders() {
	for _, path := range w.paths {
		for _, folder := range foldersOf(path) {
			_ = w.events.Add(folder) // adding twice is fine; a folder that can't be watched is polled
		}
	}
}
