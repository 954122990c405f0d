package shared

import (
	"errors"
	"time"
)

var errOlder = errors.New("a later one is known")

// state is how Redis is doing.
type state struct {
	answered time.Time // when it last did; zero: not yet
	failing  error     // nil: it answers
	since    time.Time // of failing
	ignored  uint64    // records
	warned   bool      // of one
}

// note takes the outcome of a round.
func (f *Fleet) note(err error) {
	if f.closing.Err() != nil {
		return
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.state
	switch {
	case err == nil && s.failing != nil:
		f.logger.Info("Redis answers again: the fleet's hubs are in touch", "server", f.client.Server, "after", now.Sub(s.since).Round(time.Second))
		fallthrough
	case err == nil:
		s.failing, s.answered = nil, now
	case s.failing == nil:
		s.since = now
		f.logger.Warn("Redis does not answer: the relays of other hubs are not known. The configuration goes on", "server", f.client.Server, "error", err)
		fallthrough
	default:
		s.failing = err
	}
	f.wakeLocked()
}

func (f *Fleet) ignore(record, instance string, reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ignoreLocked(record, instance, reason)
}

// ignoreLocked counts a record that is not used.
func (f *Fleet) ignoreLocked(record, instance string, reason error) {
	f.state.ignored++
	if !f.state.warned {
		f.state.warned = true
		f.logger.Warn("A record of the fleet in Redis is ignored; others are counted in the metrics only", "record", record,
			"hub", instance, "reason", reason)
	}
}

func (f *Fleet) pokeLocked() { f.poke() }
