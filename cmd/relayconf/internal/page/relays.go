package page

import (
	"fmt"
	"time"
)

const (
	// lateAfter is how long a relay must be behind to come to the log: every change makes all relays behind for a moment.
	lateAfter = 5 * time.Second
	// maxSingleRelays is how many relays may do the same between two polls to have an entry each in the log.
	maxSingleRelays = 5
)

// relayEvent is something that relays do.
type relayEvent int

const (
	relayCame relayEvent = iota
	relayLeft
	relayIsLate
	relayCaughtUp
	relayEvents // how many there are
)

func (e relayEvent) kind() kind {
	if e == relayIsLate {
		return kindLate
	}
	return kindRelay
}

// text is for one relay; many is for several, after their number.
func (e relayEvent) texts() (text, many string) {
	switch e {
	case relayCame:
		return "relay connected", "relays connected"
	case relayLeft:
		return "relay disconnected", "relays disconnected"
	case relayIsLate:
		return "is late, 5 s behind", "relays are late, 5 s behind"
	default:
		return "has caught up", "relays have caught up"
	}
}

// applyRelays compares the relays with those known, and puts the differences into u.
func (p *Page) applyRelays(now time.Time, relays []Relay, u *update) {
	var events [relayEvents][]string // names
	present := make(map[string]bool, len(relays))
	for _, r := range relays {
		before, known := p.relays[r.ID]
		present[r.ID] = true
		if r.Sync == Behind && r.BehindSince == 0 {
			r.BehindSince = At(now)
			if before.Sync == Behind {
				r.BehindSince = before.BehindSince
			}
		}
		switch was, is := known && before.Sync != Absent, r.Sync != Absent; {
		case is && !was:
			events[relayCame] = append(events[relayCame], r.Name)
		case was && !is:
			events[relayLeft] = append(events[relayLeft], r.Name)
		}
		switch {
		case r.Sync == Absent:
			delete(p.late, r.ID)
		case r.Sync != Behind && p.late[r.ID]:
			delete(p.late, r.ID)
			events[relayCaughtUp] = append(events[relayCaughtUp], r.Name)
		case r.Sync == Behind && !p.late[r.ID] && At(now) >= r.BehindSince+Time(lateAfter.Milliseconds()):
			p.late[r.ID] = true
			events[relayIsLate] = append(events[relayIsLate], r.Name)
		}
		if r != before {
			p.relays[r.ID] = r
			u.Relays = append(u.Relays, r)
		}
	}
	for id, r := range p.relays {
		if present[id] {
			continue
		}
		if r.Sync != Absent {
			events[relayLeft] = append(events[relayLeft], r.Name)
		}
		delete(p.relays, id)
		delete(p.late, id)
		u.GoneRelays = append(u.GoneRelays, id)
	}
	p.logRelays(now, events, u)
}

func (p *Page) logRelays(now time.Time, events [relayEvents][]string, u *update) {
	for event, names := range events {
		e := relayEvent(event)
		text, many := e.texts()
		if len(names) > maxSingleRelays {
			u.Log = append(u.Log, p.log.add(now, e.kind(), "", fmt.Sprintf("%d %s", len(names), many)))
			continue
		}
		for _, name := range names {
			u.Log = append(u.Log, p.log.add(now, e.kind(), name, text))
		}
	}
}
