package state

import (
	"reflect"
	"slices"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/wire"
)

// applyPut replaces everything: new items are added, changed ones updated, unlisted ones removed.
func (s *State) applyPut(m *wire.Put, now time.Time, out *Outcome) {
	out.Changes = make([]Change, 0, m.Environments.Len()+m.Filters.Len()+1)
	environments := s.putAll(&s.environments, &m.Environments, now, out)
	filters := s.putAll(&s.filters, &m.Filters, now, out)
	s.removeUnlisted(&s.environments, environments, out)
	s.removeUnlisted(&s.filters, filters, out)
	out.add(Change{Kind: AllReceived})
}

// putAll applies the entries of one kind, and returns the places that they list. An entry that can't be used counts as
// listed all the same: a mistake of the service must not take an environment away.
func (s *State) putAll(set *set, entries *wire.Entries, now time.Time, out *Outcome) places {
	items, listed := set.list(entries)
	for i := range items {
		known := &set.items[items[i].place]
		s.putOne(set, known, &items[i].entry.Item, now, out)
		if known.version == neverSeen {
			listed.remove(items[i].place) // it could not be used
		}
	}
	return listed
}

func (s *State) putOne(set *set, known *item, fresh *wire.Item, now time.Time, out *Outcome) {
	switch {
	case fresh.Misplaced:
		out.misplaced(fresh)
	case isNews(known, fresh), set.provisional[known.id] && fresh.Version == known.version && saysMore(known, fresh):
		s.store(set, known, fresh, now, out)
	case fresh.Version < known.version:
		out.stale(known, fresh.Version)
	case known.text != fresh.Text:
		// The relay was told the known text, and at the same version there is no news for it. Replicas want the newest.
		out.add(Change{Kind: set.kinds.rewritten, ID: known.id, Version: fresh.Version, Fresh: fresh, Old: known.text})
		if set.provisional[known.id] {
			set.confirm(known, fresh)
		}
	}
}

func (s *State) removeUnlisted(set *set, listed places, out *Outcome) {
	for _, gone := range set.keep(listed) {
		if set == &s.environments {
			s.expiries.remove(config.EnvironmentID(gone.id))
		}
		out.add(Change{Kind: set.kinds.removed, ID: gone.id, Old: gone.text})
	}
}

// saysMore says whether the text of an environment says something else than the provisional text.
func saysMore(known *item, fresh *wire.Item) bool {
	was, _ := wire.DecodeEnvironment(known.text) // it was decoded before
	return !reflect.DeepEqual(was, fresh.Environment())
}

// isNews says whether an item of a put is news. The same version is none, but brings back an item that was deleted.
func isNews(known *item, fresh *wire.Item) bool {
	return fresh.Version > known.version || fresh.Version == known.version && known.text == ""
}

// listing is an entry of a put and the place of its id.
type listing struct {
	entry *wire.Entry
	place int
}

// list finds the place of each entry that is no run, and makes one for each id that is not known. It returns those, and
// all places that the put lists. Of an id that is listed twice, the last entry counts.
func (s *set) list(entries *wire.Entries) ([]listing, places) {
	s.makeRoom(entries.Len())
	items := make([]listing, 0, entries.Len())
	listed := newPlaces(len(s.items) + entries.Len())
	repeated := false
	for entry := range entries.All() {
		if entry.Run != (wire.Run{}) {
			for place := entry.Run.From; place < entry.Run.To; place++ {
				repeated = !listed.add(int(place)) || repeated
			}
			continue
		}
		place := s.index.find(entry.ID, entry.Hash, s.items)
		if place < 0 {
			place = len(s.items)
			s.add(entry.ID, entry.Hash)
		}
		repeated = !listed.add(place) || repeated
		items = append(items, listing{entry, place})
	}
	if repeated {
		items = s.lastOfEach(entries)
	}
	return items, listed
}

// lastOfEach lists the items of entries in which an id comes twice: of each id the last entry, at the place of the first,
// as in a map that encoding/json decodes. The last entry may be part of a run, and then the id has no item.
func (s *set) lastOfEach(entries *wire.Entries) []listing {
	var all []listing
	at := map[int]int{} // where in all each place is
	set := func(place int, entry *wire.Entry) {
		i, ok := at[place]
		if !ok {
			i = len(all)
			at[place] = i
			all = append(all, listing{})
		}
		all[i] = listing{entry, place}
	}
	for entry := range entries.All() {
		if entry.Run == (wire.Run{}) {
			set(s.index.find(entry.ID, entry.Hash, s.items), entry)
			continue
		}
		for place := entry.Run.From; place < entry.Run.To; place++ {
			set(int(place), nil)
		}
	}
	return slices.DeleteFunc(all, func(l listing) bool { return l.entry == nil })
}
