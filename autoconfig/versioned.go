package autoconfig

import (
	"maps"
	"slices"
	"strings"
)

// versioned is a set of items that change by version: the environments, or the filters. An item that was deleted
// leaves a tombstone, which keeps its version so that older news that come late can be told from newer.
type versioned[ID ~string, V any] struct {
	items map[ID]*item[V]
	live  int // items that are not tombstones

	revision uint64 // grows with each change to an item that is not a tombstone
	puts     uint32 // how many puts there have been
}

// item is what is known of one id.
type item[V any] struct {
	value   V
	version int
	mark    mark
	next    *item[V] // which one a put has last listed after it: a guess at what the next put will
	status  itemStatus
}

type itemStatus uint8

const (
	loose     itemStatus = iota // not in the set: not yet, or not any more
	pending                     // in the set since a put that is being applied has listed it for the first time
	live                        // known
	tombstone                   // deleted; there is no value
)

// mark says which put has last listed an item, by its number, and where in that put.
type mark struct{ put, place uint32 }

func newVersioned[ID ~string, V any]() versioned[ID, V] {
	return versioned[ID, V]{items: map[ID]*item[V]{}}
}

// nextPut is the number of a new put.
func (s *versioned[ID, V]) nextPut() uint32 {
	s.puts++
	return s.puts
}

// newerThanKnown says whether a patch or a delete with this version is news.
func (known *item[V]) newerThanKnown(version int) bool {
	return known == nil || version > known.version
}

// newInPut says whether an item with this version, as part of the whole truth, is news. What is older than the known
// version, be that a tombstone, is not. The same version is no news of an item, but brings a deleted one back.
func (known *item[V]) newInPut(version int) bool {
	return known.status == pending || version > known.version ||
		version == known.version && known.status == tombstone
}

// effect says what happened to an item, as its owner sees it.
type effect int

const (
	noEffect effect = iota
	added
	updated
	deleted
)

// set makes fresh what is known of the id, whatever its version. What was known is passed in: nil if nothing was.
func (s *versioned[ID, V]) set(id ID, known, fresh *item[V]) effect {
	s.revision++
	switch {
	case known == nil:
		s.items[id] = fresh
		known = fresh
	case known != fresh:
		known.value, known.version = fresh.value, fresh.version
		// The id may be a part of the value's memory, and the map must not hold on to that of the old value by its key.
		s.items[id] = known
	}
	wasLive := known.status == live
	known.status = live
	if wasLive {
		return updated
	}
	s.live++
	return added
}

// delete leaves a tombstone, also for an item never seen, unless its version is not newer than the known one.
func (s *versioned[ID, V]) delete(id ID, version int) effect {
	known := s.items[id]
	if !known.newerThanKnown(version) {
		return noEffect
	}
	if known == nil {
		known = &item[V]{}
	}
	wasLive := known.status == live
	var none V
	known.value, known.version, known.status = none, version, tombstone
	s.items[ID(strings.Clone(string(id)))] = known // see set
	if !wasLive {
		return noEffect
	}
	s.live--
	s.revision++
	return deleted
}

// keepOnly forgets every item that the put has not listed, its tombstone too, and returns those that were not
// tombstones, sorted.
func (s *versioned[ID, V]) keepOnly(list *putList[ID, V]) []ID {
	if list.distinct == len(s.items) {
		return nil // it has listed all
	}
	var removed []ID
	for id, item := range s.items {
		if item.mark.put == list.number {
			continue
		}
		if item.status == live {
			s.live--
			s.revision++
			removed = append(removed, id)
		}
		s.forget(id, item)
	}
	slices.Sort(removed)
	return removed
}

func (s *versioned[ID, V]) forget(id ID, item *item[V]) {
	delete(s.items, id)
	item.status, item.next = loose, nil
}

// known is a copy of an item that is not a tombstone.
type known[ID ~string, V any] struct {
	id      ID
	version int
	value   V
}

// unordered returns the items that are not tombstones, quickly.
func (s *versioned[ID, V]) unordered() []known[ID, V] {
	list := make([]known[ID, V], 0, s.live)
	for id, item := range s.items {
		if item.status == live {
			list = append(list, known[ID, V]{id, item.version, item.value})
		}
	}
	return list
}

// all returns the items that are not tombstones, sorted by id.
func (s *versioned[ID, V]) all() []*item[V] {
	ids := slices.Sorted(maps.Keys(s.items))
	items := make([]*item[V], 0, s.live)
	for _, id := range ids {
		if item := s.items[id]; item.status == live {
			items = append(items, item)
		}
	}
	return items
}
