package autoconfigtest

import (
	"sync"
	"time"
)

// watched guards a state that one goroutine changes and another waits for. The zero value is ready for use.
type watched struct {
	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil while nobody waits
}

// read calls f under the lock.
func (w *watched) read(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// update calls f under the lock and wakes all who wait.
func (w *watched) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// wait calls reached under the lock, after each change, until it is true. It returns false if the timeout comes first.
func (w *watched) wait(timeout time.Duration, reached func() bool) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		w.mu.Lock()
		if reached() {
			w.mu.Unlock()
			return true
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}
