package autoconfig

import (
	"context"
	"time"

	"github.com/relayconf/relayconf/internal/backoff"
)

const (
	// saveDelay lets changes that come together be saved together.
	saveDelay = 500 * time.Millisecond
	// saveRest is how many times as long as the last save took the saver waits before the next, so that saving takes a
	// fifth of the time at most, however large the configuration is and however often it changes.
	saveRest = 4
	// saveLimit is how long one save may take before it counts as failed.
	saveLimit = time.Minute

	minSaveRetry = time.Second
	maxSaveRetry = time.Minute
)

// saver saves the newest state in a goroutine of its own, one save at a time. A nil *saver does nothing.
type saver struct {
	store    Store
	snapshot func() *Snapshot // of the newest state
	failed   func(error)

	ctx     context.Context
	cancel  context.CancelFunc
	changed chan struct{} // holds a value while there is something to save
	ending  chan struct{}
	ended   chan struct{}
}

func newSaver(store Store, snapshot func() *Snapshot, failed func(error)) *saver {
	s := &saver{
		store: store, snapshot: snapshot, failed: failed,
		changed: make(chan struct{}, 1), ending: make(chan struct{}), ended: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// save makes the saver save soon. It does not wait.
func (s *saver) save() {
	if s == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default: // the save that is due will be of what is newest then
	}
}

// end saves what has yet to be saved. It returns when that is done, or has taken too long.
func (s *saver) end() {
	if s == nil {
		return
	}
	close(s.ending)
	select {
	case <-s.ended:
	case <-time.After(storeEndLimit):
		s.failed(context.DeadlineExceeded)
	}
	s.cancel()
}

func (s *saver) run() {
	defer close(s.ended)
	retry := backoff.Backoff{Base: minSaveRetry, Limit: maxSaveRetry}
	delay := time.Duration(saveDelay)
	for s.isDue(delay) {
		start := time.Now()
		if err := s.saveNow(); err != nil {
			if s.ctx.Err() != nil {
				return // end has reported it
			}
			s.failed(err)
			if s.isEnding() {
				return
			}
			delay = retry.Next()
			s.save()
			continue
		}
		retry.Reset()
		delay = max(saveDelay, saveRest*time.Since(start))
	}
}

// isDue waits for a change and then for the delay, which the end cuts short. It returns false if there is nothing to
// save before the end.
func (s *saver) isDue(delay time.Duration) bool {
	select {
	case <-s.changed:
	case <-s.ending:
		select {
		case <-s.changed:
		default:
			return false
		}
	}
	select {
	case <-time.After(delay):
	case <-s.ending:
	}
	return true
}

func (s *saver) isEnding() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

func (s *saver) saveNow() error {
	select {
	case <-s.changed: // what has changed during the delay is in this save
	default:
	}
	ctx, cancel := context.WithTimeout(s.ctx, saveLimit)
	defer cancel()
	return s.store.Save(ctx, s.snapshot())
}
