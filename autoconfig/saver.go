package autoconfig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/relayconf/relayconf/config"
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

	// A configuration that the service has confirmed is saved within maxConfirmDelay, at a random moment: when a service
	// restarts, all relays of a fleet get a put at about the same time.
	maxConfirmDelay = 30 * time.Second
	// One that the service goes on to confirm is saved again after minRefresh to maxRefresh. With the default read timeout
	// of 5 minutes, a stored configuration is then never older than an hour while the line is up.
	minRefresh = 30 * time.Minute
	maxRefresh = 50 * time.Minute
)

// saver saves the newest state in a goroutine of its own, one save at a time.
type saver struct {
	saverOptions

	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // holds a value if due has become earlier
	ending chan struct{}
	ended  chan struct{}

	mu  sync.Mutex
	due time.Time            // when to save; zero if there is nothing to save
	key config.AutoConfigKey // the latest key that the service has accepted

	// Only for the saver's goroutine.
	rested    time.Time // no save before this
	refresh   time.Time // when to look whether the service has confirmed the configuration since the last save
	confirmed time.Time // LastConfirmed of the last snapshot that was saved
	failures  int       // in a row
}

// saverOptions are a saver's settings and callbacks, from its manager.
type saverOptions struct {
	store       Store
	key         config.AutoConfigKey // the store's, unless that has a secret of its own
	snapshot    func() *Snapshot     // of the newest state
	confirmedAt func() time.Time     // when the service last confirmed that
	failed      func(error)
	recovered   func(failures int)
}

func newSaver(options saverOptions) *saver {
	s := &saver{
		saverOptions: options, key: options.key,
		wake: make(chan struct{}, 1), ending: make(chan struct{}), ended: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// save makes the saver save soon, since the configuration has changed. It does not wait.
func (s *saver) save() { s.saveBy(time.Now().Add(saveDelay)) }

// confirm makes the saver save in a while, since the service has confirmed the configuration: the store may have lost it.
// It does not wait.
func (s *saver) confirm() { s.saveBy(time.Now().Add(between(saveDelay, maxConfirmDelay))) }

// between draws a random duration.
func between(shortest, longest time.Duration) time.Duration {
	return shortest + rand.N(longest-shortest)
}

func (s *saver) saveBy(due time.Time) {
	s.mu.Lock()
	earlier := s.due.IsZero() || due.Before(s.due)
	if earlier {
		s.due = due
	}
	s.mu.Unlock()
	if earlier {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// accepted says that the service has accepted a key. If it is a new one, the saver saves soon, with the new key.
func (s *saver) accepted(key config.AutoConfigKey) {
	s.mu.Lock()
	changed := s.key != key
	s.key = key
	s.mu.Unlock()
	if changed {
		s.save()
	}
}

// end saves the changes that have yet to be saved. It returns when that is done, or has taken too long. A nil *saver has
// none.
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
	storeKey := s.saverOptions.key
	retry := backoff.Backoff{Base: minSaveRetry, Limit: maxSaveRetry}
	s.refresh = time.Now().Add(between(minRefresh, maxRefresh))
	timer := time.NewTimer(maxRefresh)
	defer timer.Stop()
	for ending := false; !ending; {
		timer.Reset(time.Until(s.next()))
		select {
		case <-s.wake:
			continue
		case <-timer.C:
		case <-s.ending:
			ending = true
		}
		due, key := s.isDue(ending)
		if !due {
			continue
		}
		if keyed, ok := s.store.(KeyedStore); ok && key != storeKey {
			keyed.RotateKey(storeKey, key)
			storeKey = key
		}
		start := time.Now()
		err := s.saveNow()
		switch {
		case err != nil && s.ctx.Err() != nil:
			return // end has reported it
		case err != nil:
			s.failures++
			s.failed(err)
			s.saveBy(time.Now())
			s.rested = time.Now().Add(retry.Next())
			ending = ending || s.isEnding()
		default:
			if s.failures > 0 {
				s.recovered(s.failures)
			}
			s.failures = 0
			retry.Reset()
			s.rested = time.Now().Add(saveRest * time.Since(start))
			s.refresh = time.Now().Add(between(minRefresh, maxRefresh))
		}
	}
}

// next is when there will be something to do.
func (s *saver) next() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due.IsZero() {
		return s.refresh
	}
	return later(s.due, s.rested)
}

// isDue says whether to save now, and which key the service has accepted. Changes that come after it are not in this
// save.
func (s *saver) isDue(ending bool) (bool, config.AutoConfigKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.due.IsZero() {
		due := ending || !later(s.due, s.rested).After(time.Now())
		if due {
			s.due = time.Time{}
		}
		return due, s.key
	}
	if ending || s.refresh.After(time.Now()) {
		return false, s.key
	}
	s.refresh = time.Now().Add(between(minRefresh, maxRefresh))
	// Nothing was saved yet if the service has not confirmed the loaded snapshot.
	return !s.confirmed.IsZero() && s.confirmedAt().After(s.confirmed), s.key
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
	ctx, cancel := context.WithTimeout(s.ctx, saveLimit)
	defer cancel()
	snapshot := s.snapshot()
	err := s.store.Save(ctx, snapshot)
	if err == nil {
		s.confirmed = snapshot.LastConfirmed()
	}
	return err
}

// storeName is how the log names a store.
func storeName(store Store) string {
	if named, ok := store.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("the store %T", store)
}
