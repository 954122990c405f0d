package shared

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

// heartbeat is the sign of life of a hub.
type heartbeat struct {
	Name    string           `json:"name"`
	Number  uint64           `json:"number"` // each has a higher one than the former
	Time    time.Time        `json:"time"`   // by the hub's own clock
	Started time.Time        `json:"started"`
	Ended   bool             `json:"ended,omitempty"` // the last one: the hub has ended in order, or was forgotten
	Asks    uint64           `json:"asks,omitempty"`  // number of the latest heartbeat that the others are to answer at once
	Parts   []uint64         `json:"parts,omitempty"` // for each part of the roster, the heartbeat that it was written for
	Heard   map[string]heard `json:"heard,omitempty"` // other hubs, by instance
}

// heard is the latest heartbeat that a hub has had from another one.
type heard struct {
	Name   string    `json:"name"`
	Number uint64    `json:"number"`
	Time   time.Time `json:"time"`
	Lacks  bool      `json:"lacks,omitempty"` // parts of its roster could not be read
}

// peer is another hub.
type peer struct {
	instance string
	heartbeat
	parts    [partCount]uint64        // the heartbeats that the known parts were written for
	relays   [partCount][]fleet.Relay // of the known parts, as their hub sees them
	whole    bool                     // the parts are those of the heartbeat, or later ones
	lastRead time.Time                // when the latest heartbeat was read
	heardUs  uint64                   // the latest heartbeat of this hub that the other hub had heard when its roster was so
	answered uint64                   // its latest heartbeat with a question that this hub has answered
}

// peers are all other hubs that this one knows of. Fleet.mu guards them.
type peers struct {
	us      string // instance of this hub
	name    string
	started time.Time
	expiry  time.Duration // after which the news of a hub are too old to go by
	within  time.Duration // for which a hub that is not heard of is expected back

	all     map[string]*peer
	number  uint64               // of this hub's latest heartbeat
	sent    map[uint64]time.Time // when each of this hub's recent heartbeats was made
	asking  bool                 // the next heartbeat is to ask for answers
	asked   uint64               // the latest one that did
	rewrite bool                 // another hub lacks parts of the roster
}

var errOlder = errors.New("a later one is known")
var errTooManyParts = errors.New("it lists too many parts")

// nextHeartbeat makes a heartbeat, without parts. The others are to be told of it at once if it asks or answers.
func (s *peers) nextHeartbeat(now time.Time) (h heartbeat, rewrite, tell bool) {
	s.number++
	s.sent[s.number] = now
	maps.DeleteFunc(s.sent, func(_ uint64, at time.Time) bool { return now.Sub(at) > 2*s.expiry })
	if s.asking {
		s.asking, s.asked, tell = false, s.number, true
	}
	rewrite, s.rewrite = s.rewrite, false
	h = heartbeat{Name: s.name, Number: s.number, Time: now.UTC(), Started: s.started.UTC(), Asks: s.asked, Heard: map[string]heard{}}
	for _, p := range s.current(now) {
		h.Heard[p.instance] = heard{p.Name, p.Number, p.Time, !p.whole}
		if p.Asks > p.answered {
			p.answered, tell = p.Asks, true
		}
	}
	return h, rewrite, tell || rewrite
}

// take takes an authentic heartbeat, and returns the parts of the roster that have to be read for it. A new one that needs
// an answer says so with again.
func (s *peers) take(instance string, h heartbeat, now time.Time) (wants []int, again bool, err error) {
	if len(h.Parts) > partCount {
		return nil, false, errTooManyParts
	}
	p := s.all[instance]
	switch {
	case now.Sub(h.Time) > s.within:
		return nil, false, nil
	case p == nil:
		p = &peer{instance: instance}
		s.all[instance] = p
		s.asking, again = s.asking || !h.Ended, !h.Ended
	case h.Number < p.Number:
		return nil, false, errOlder
	}
	if h.Number > p.Number {
		p.heartbeat, p.lastRead = h, now
		if h.Heard[s.us].Lacks {
			s.rewrite = true
		}
	}
	if p.Ended {
		p.parts, p.relays = [partCount]uint64{}, [partCount][]fleet.Relay{}
		return nil, false, nil
	}
	if wants = p.wants(); len(wants) == 0 {
		p.settle(s.us)
	}
	return wants, again || p.Asks > p.answered || s.rewrite, nil
}

// wants returns the parts that have to be read.
func (p *peer) wants() (parts []int) {
	for i, number := range p.Parts {
		if number > p.parts[i] {
			parts = append(parts, i)
		}
	}
	return parts
}

// takeParts takes the parts that could be read.
func (s *peers) takeParts(instance string, fresh map[int]part) (err error) {
	p := s.all[instance]
	if p == nil {
		return nil
	}
	for i, part := range fresh {
		if part.Number < p.parts[i] {
			err = errOlder
			continue
		}
		p.parts[i], p.relays[i] = part.Number, part.decoded()
	}
	p.settle(s.us)
	return err
}

// settle notes whether the roster is whole.
func (p *peer) settle(us string) {
	p.whole = len(p.wants()) == 0
	if p.whole {
		p.heardUs = p.Heard[us].Number
	}
}

// learn adds the hubs that others have heard, and that this one has never read of itself: it may be new.
func (s *peers) learn(now time.Time) {
	for _, p := range s.current(now) {
		for instance, h := range p.Heard {
			if instance == s.us || s.all[instance] != nil || now.Sub(h.Time) > s.within {
				continue
			}
			s.all[instance] = &peer{instance: instance, heartbeat: heartbeat{Name: h.Name, Number: h.Number, Time: h.Time}, lastRead: now}
		}
	}
}

// current returns the hubs that count, by name: those that have not ended, that have no successor of the same name, and
// that were heard of within the time.
func (s *peers) current(now time.Time) (current []*peer) {
	maps.DeleteFunc(s.all, func(_ string, p *peer) bool { return now.Sub(p.Time) > s.within })
	for _, p := range s.all {
		if !p.Ended && !s.superseded(p) {
			current = append(current, p)
		}
	}
	slices.SortFunc(current, func(a, b *peer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Started.Compare(b.Started), cmp.Compare(a.instance, b.instance))
	})
	return current
}

// superseded tells whether a hub of the same name has started after this one was last heard of. It may have ended since.
func (s *peers) superseded(p *peer) bool {
	if s.name == p.Name && s.started.After(p.Time) {
		return true
	}
	for _, other := range s.all {
		if other != p && other.Name == p.Name && other.Started.After(p.Time) {
			return true
		}
	}
	return false
}

// fresh tells whether the news of a hub are new enough to go by: it has heard a heartbeat that this hub made lately.
func (s *peers) fresh(p *peer, now time.Time) bool {
	at, known := s.sent[p.heardUs]
	return p.whole && known && now.Sub(at) <= s.expiry
}

// shown is the name of a hub as people see it. Hubs that have the same one are told apart.
func (s *peers) shown(p *peer, current []*peer) string {
	same := func(other *peer) bool { return other != p && other.Name == p.Name }
	if p.Name != s.name && !slices.ContainsFunc(current, same) {
		return p.Name
	}
	const enough = 4
	return p.Name + " (" + strings.ToLower(p.instance[:min(enough, len(p.instance))]) + ")"
}

// list returns the relays of the latest heartbeat.
func (p *peer) list() (relays []fleet.Relay) {
	for i, number := range p.Parts {
		if number > 0 {
			relays = append(relays, p.relays[i]...)
		}
	}
	return relays
}
