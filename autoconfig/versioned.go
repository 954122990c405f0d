package autoconfig

import (
	"maps"
	"slices"
)

// versioned is a set of items that change by version: the environments, or the filters. An item that was deleted
// leaves a tombstone, which keeps its version so that older news that come late can be told from newer.
type versioned[ID ~string, V any] struct {
	items map[ID]entry[V]
	live  int // items that are not tombstones

	revision uint64 // grows with each change to an item that is not a tombstone
}

type entry[V any] struct {
	version int
	deleted bool
	value   V
}

func newVersioned[ID ~string, V any]() versioned[ID, V] {
	return versioned[ID, V]{items: map[ID]entry[V]{}}
}

// effect says what happened to an item, as its owner sees it.
type effect int

const (
	noEffect effect = iota
	added
	updated
	deleted
)

// newerThanKnown says whether a patch or a delete with this version is news.
func (s *versioned[ID, V]) newerThanKnown(id ID, version int) bool {
	known, ok := s.items[id]
	return !ok || version > known.version
}

// newInPut says whether an item with this version, as part of the whole truth, is news. What is older than the known
// version, be that a tombstone, is not. The same version is no news of an item, but brings a deleted one back.
func (s *versioned[ID, V]) newInPut(id ID, version int) bool {
	known, ok := s.items[id]
	return !ok || version > known.version || version == known.version && known.deleted
}

// set makes the item known, whatever its version.
func (s *versioned[ID, V]) set(id ID, version int, value V) effect {
	known, ok := s.items[id]
	s.items[id] = entry[V]{version: version, value: value}
	s.revision++
	if !ok || known.deleted {
		s.live++
		return added
	}
	return updated
}

// delete leaves a tombstone, also for an item never seen, unless its version is not newer than the known one.
func (s *versioned[ID, V]) delete(id ID, version int) effect {
	if !s.newerThanKnown(id, version) {
		return noEffect
	}
	known, ok := s.items[id]
	s.items[id] = entry[V]{version: version, deleted: true}
	if !ok || known.deleted {
		return noEffect
	}
	s.live--
	s.revision++
	return deleted
}

// keepOnly forgets every item that is not listed, its tombstone too, and returns those that were not tombstones,
// sorted.
func (s *versioned[ID, V]) keepOnly(listed map[ID]struct{}) []ID {
	var removed []ID
	for id, item := range s.items {
		if _, ok := listed[id]; ok {
			continue
		}
		delete(s.items, id)
		if !item.deleted {
			s.live--
			s.revision++
			removed = append(removed, id)
		}
	}
	slices.Sort(removed)
	return removed
}

// unordered returns the items that are not tombstones, quickly.
func (s *versioned[ID, V]) unordered() []listed[ID, V] {
	list := make([]listed[ID, V], 0, s.live)
	for id, item := range s.items {
		if !item.deleted {
			list = append(list, listed[ID, V]{id, item.value})
		}
	}
	return list
}

// all returns the items that are not tombstones, sorted by id.
func (s *versioned[ID, V]) all() []V {
	ids := slices.Sorted(maps.Keys(s.items))
	values := make([]V, 0, s.live)
	for _, id := range ids {
		if item := s.items[id]; !item.deleted {
			values = append(values, item.value)
		}
	}
	return values
}
