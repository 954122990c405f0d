package hub

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/relayconf/relayconf/internal/digest"
)

// A relay that ends its stream soon after an event may have refused the event. If it comes back with the event's id, it
// gets a put. A relay with an instance is one of package autoconfig: it sends the id of the state that it holds.
const (
	earlyWithin     = 10 * time.Second // how soon after the event
	earlyRemembered = 5 * time.Minute  // longer than relays wait before they come back, but for an outage
	maxEarlyEnds    = 10_000
)

// mayRefuse tells whether the relay may refuse an event and come back with its id.
func (r *relay) mayRefuse() bool { return r.instance == "" }

// earlyEnd tells which relay ended its stream, as well as can be told, and after which event.
type earlyEnd struct {
	key  [sha256.Size]byte
	host string
	id   digest.Digest
}

// earlyEnds remembers streams that ended early, and how many of the same kind.
type earlyEnds struct {
	ends  map[earlyEnd][]time.Time
	order []earlyEnd // oldest first
}

func (e *earlyEnds) add(end earlyEnd, now time.Time) {
	if e.ends == nil {
		e.ends = map[earlyEnd][]time.Time{}
	}
	e.forget(now)
	if len(e.order) == maxEarlyEnds {
		e.drop()
	}
	e.ends[end] = append(e.ends[end], now)
	e.order = append(e.order, end)
}

// has tells whether a stream ended so.
func (e *earlyEnds) has(end earlyEnd, now time.Time) bool {
	e.forget(now)
	return len(e.ends[end]) > 0
}

// take forgets one of the streams that ended so.
func (e *earlyEnds) take(end earlyEnd) {
	at := slices.Index(e.order, end)
	e.order = slices.Delete(e.order, at, at+1)
	e.keep(end, e.ends[end][1:])
}

func (e *earlyEnds) forget(now time.Time) {
	for len(e.order) > 0 && now.Sub(e.ends[e.order[0]][0]) >= earlyRemembered {
		e.drop()
	}
}

func (e *earlyEnds) drop() {
	end := e.order[0]
	e.order = e.order[1:]
	e.keep(end, e.ends[end][1:])
}

func (e *earlyEnds) keep(end earlyEnd, times []time.Time) {
	if len(times) == 0 {
		delete(e.ends, end)
	} else {
		e.ends[end] = times
	}
}
