package shared

import (
	"time"
)

// heartbeat is the sign of life of a hub.
type heartbeat struct {
	Name    string           `json:"name"`
	Number  uint64           `json:"number"` // each has a higher one than the former
	Time    time.Time        `json:"time"`   // by the hub's own clock, for people
	Started time.Time        `json:"started"`
	Ended   bool             `json:"ended,omitempty"` // the last one: the hub has ended in order
	Asks    uint64           `json:"asks,omitempty"`  // the number of the latest heartbeat that the others are to answer at once
	Parts   []uint64         `json:"parts,omitempty"` // for each part of the roster, the heartbeat that it was written for
	Heard   map[string]heard `json:"heard,omitempty"` // other hubs, by instance
}

// heard is what a hub has had from another one.
type heard struct {
	Name   string `json:"name"`
	Number uint64 `json:"number"`          // of the latest heartbeat
	Lacks  bool   `json:"lacks,omitempty"` // parts of the roster
}

// peer is another hub.
type peer struct {
	instance string
	heartbeat
	parts    [partCount]part
	whole    bool      // parts are those of a heartbeat, or later ones
	lastRead time.Time // when its latest heartbeat was read
	heardUs  uint64    // the latest heartbeat of this hub that it has listed together with a whole roster
	asked    uint64    // its latest heartbeat with a question that this hub has answered
}

// wants returns the parts that have to be read.
func (p *peer) wants() (parts []int) {
	for i, number := range p.Parts {
		if number > p.parts[i].Number {
			parts = append(parts, i)
		}
	}
	return parts
}

// accept takes a heartbeat that is authentic. It returns false if a later one is known.
func (p *peer) accept(h heartbeat, now time.Time) bool {
	if h.Number < p.Number {
		return false
	}
	if h.Number > p.Number {
		p.heartbeat, p.lastRead = h, now
	}
	return true
}

// settle notes that the parts were read that could be.
func (p *peer) settle(us string) {
	p.whole = len(p.wants()) == 0
	if p.whole {
		p.heardUs = p.Heard[us].Number
	}
}

// relays returns the records of the latest heartbeat.
func (p *peer) relays() (records []relayRecord) {
	for i, number := range p.Parts {
		if number > 0 {
			records = append(records, p.parts[i].Relays...)
		}
	}
	return records
}
