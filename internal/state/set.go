package state

import (
	"math"
	"slices"
	"strings"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// set holds the known items of one kind, the environments or the filters, by id. An item that was deleted leaves a
// tombstone, which keeps its version so that older news that come late can be told from newer.
type set struct {
	kind  digest.Kind
	kinds kinds  // of the changes to its items
	items []item // in the order of the last put, then in the order in which patches and deletes added them
	index index  // the place of each id in items
	live  int    // items that are no tombstones

	provisional map[string]bool // ids of items whose text is provisional: see wire.Item

	digest   digest.Digest // of the items that are no tombstones
	revision uint64        // grows with each change that a snapshot shows
}

// item is a known item or a tombstone.
type item struct {
	id      string // a part of the text, or a string of its own: a part of another text would keep that, too
	text    string // empty: this is a tombstone
	version int
	digest  digest.Digest // of a known item. Kept, since a hash is a tenth of the time of a patch
}

// neverSeen is the version of a place that a put has just made for an id. Any version is newer.
const neverSeen = math.MinInt

// kinds are the kinds of changes to the items of one set.
type kinds struct{ added, updated, rewritten, deleted, removed ChangeKind }

func newSet(kind digest.Kind, kinds kinds) set {
	return set{kind: kind, kinds: kinds, index: newIndex(0)}
}

// At implements wire.Known.
func (s *set) At(place int) (id, text string) {
	if place < 0 || place >= len(s.items) {
		return "", ""
	}
	return s.items[place].id, s.items[place].text
}

// Place implements wire.Known.
func (s *set) Place(id []byte) int { return s.index.find(string(id), wire.Hash(id), s.items) }

// find returns the known item or tombstone; nil if there is none.
func (s *set) find(id string, hash uint32) *item {
	if place := s.index.find(id, hash, s.items); place >= 0 {
		return &s.items[place]
	}
	return nil
}

// add makes a place for an id that is not known.
func (s *set) add(id string, hash uint32) *item {
	s.index.add(hash, len(s.items))
	s.items = append(s.items, item{id: id, version: neverSeen})
	return &s.items[len(s.items)-1]
}

// makeRoom allocates for a first put at once: to let the map grow costs as much again.
func (s *set) makeRoom(n int) {
	if len(s.items) == 0 {
		s.items = make([]item, 0, n)
		s.index = newIndex(n)
	}
}

// store sets the text and the version of a place.
func (s *set) store(known *item, fresh *wire.Item) {
	s.forget(known)
	known.id, known.text, known.version = fresh.ID, fresh.Text, fresh.Version
	if fresh.Provisional {
		if s.provisional == nil {
			s.provisional = map[string]bool{}
		}
		s.provisional[known.id] = true
	}
	known.digest = fresh.Digest
	if known.digest == (digest.Digest{}) {
		known.digest = digest.Of(s.kind, known.id, known.version)
	}
	s.digest = s.digest.Plus(known.digest)
	s.live++
	s.revision++
}

// confirm replaces a provisional text by one that says the same.
func (s *set) confirm(known *item, fresh *wire.Item) {
	delete(s.provisional, known.id)
	known.id, known.text = fresh.ID, fresh.Text
	s.revision++
}

// bury makes a tombstone of a place.
func (s *set) bury(known *item, version int) {
	s.forget(known)
	known.id = strings.Clone(known.id)
	known.text, known.version = "", version
	s.revision++
}

// forget takes a known item out of the digest and the count.
func (s *set) forget(known *item) {
	if known.text != "" {
		s.digest = s.digest.Minus(known.digest)
		s.live--
		delete(s.provisional, known.id)
	}
}

// keep forgets every place that is not listed, tombstones too, and returns the items among them that were no tombstones,
// sorted by id.
func (s *set) keep(listed places) []item {
	if listed.count == len(s.items) {
		return nil
	}
	var removed []item
	kept := s.items[:0]
	s.index = newIndex(listed.count)
	for place, known := range s.items {
		if listed.has(place) {
			s.index.add(wire.Hash(wire.View(known.id)), len(kept))
			kept = append(kept, known)
			continue
		}
		s.forget(&known)
		if known.version != neverSeen {
			s.revision++
		}
		if known.text != "" {
			removed = append(removed, known)
		}
	}
	clear(s.items[len(kept):])
	s.items = kept
	slices.SortFunc(removed, func(a, b item) int { return strings.Compare(a.id, b.id) })
	return removed
}

// places is a set of places.
type places struct {
	bits  []uint64
	count int
}

func newPlaces(n int) places { return places{bits: make([]uint64, (n+63)/64)} }

// add adds a place. It returns false if the place was there already.
func (p *places) add(place int) bool {
	for place/64 >= len(p.bits) {
		p.bits = append(p.bits, 0)
	}
	bit := uint64(1) << (place % 64)
	if p.bits[place/64]&bit != 0 {
		return false
	}
	p.bits[place/64] |= bit
	p.count++
	return true
}

func (p *places) remove(place int) {
	p.bits[place/64] &^= 1 << (place % 64)
	p.count--
}

func (p *places) has(place int) bool {
	return place/64 < len(p.bits) && p.bits[place/64]&(1<<(place%64)) != 0
}
