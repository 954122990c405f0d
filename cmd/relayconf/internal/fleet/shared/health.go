package shared

import "time"

// state is how Redis is doing.
type state struct {
	answered time.Time // begin of the latest round in which it did; zero: there was none
	failing  error     // of the latest round; nil: it has answered
	since    time.Time // of failing
	ignored  uint64    // records
	warned   bool      // of one
}

// Stats say how a fleet is doing, for metrics.
type Stats struct {
	Reachable bool   // Redis has answered the latest time that it was asked
	Hubs      int    // other hubs that have been heard of lately
	Missing   int    // other hubs that have not, and that are expected back
	Ignored   uint64 // records that were not used: forged, replayed or damaged
}

// Stats returns the present numbers.
func (f *Fleet) Stats() Stats {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Stats{Reachable: f.state.failing == nil && !f.state.answered.IsZero(), Ignored: f.state.ignored}
	for _, p := range f.peers.current(now) {
		if f.peers.fresh(p, now) {
			s.Hubs++
		} else {
			s.Missing++
		}
	}
	return s
}

// note takes the outcome of a round.
func (f *Fleet) note(err error, start time.Time) {
	if f.closing.Err() != nil {
		return
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.state
	if err == nil {
		if s.failing != nil {
			f.logger.Info("The fleet's Redis works again", "server", f.client.Server, "after", now.Sub(s.since).Round(time.Second))
		}
		s.failing, s.answered = nil, start
	} else {
		if s.failing == nil {
			s.since = now
			consequence := "the relays of other hubs are not known"
			if f.namesOnly {
				consequence = "a restart of the hub would forget which relays it expects"
			}
			f.logger.Warn("The fleet's Redis fails: "+consequence+". The configuration goes on", "server", f.client.Server, "error", err)
		}
		s.failing = err
	}
	f.wake()
}

func (f *Fleet) failing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.failing
}

// ignore counts a record that is not used.
func (f *Fleet) ignore(record string, reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.ignored++
	if !f.state.warned {
		f.state.warned = true
		f.logger.Warn("A record of the fleet in Redis is ignored. Others will be counted in the metrics only", "record", record,
			"reason", reason)
	}
}
