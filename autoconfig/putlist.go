package autoconfig

import "slices"

// putList is what a put lists of one collection, the environments or the filters. What is known to be unchanged is
// marked in the set of what is known, and is not in items.
type putList[ID ~string, V any] struct {
	number   uint32   // of the put, in the set of what is known; 0 if none was given yet
	places   uint32   // how many members were listed, of which some ids may be the same
	distinct int      // how many items in the set of what is known have the mark of this put
	repeated bool     // an id was listed twice
	last     *item[V] // of the place before
	items    []listed[ID, V]
}

// listed is a member of a put's collection.
type listed[ID ~string, V any] struct {
	id    ID // what it is listed as
	place uint32
	fresh *item[V]
	known *item[V] // nil if it was not known, or that has yet to be looked up
}

// add adds a member at the next place.
func (l *putList[ID, V]) add(id ID, fresh, known *item[V]) {
	l.places++
	entry := listed[ID, V]{id: id, place: l.places, fresh: fresh, known: known}
	if known != nil {
		l.markAt(&entry)
		l.follow(known)
	} else {
		l.follow(fresh)
	}
	if len(l.items) == cap(l.items) {
		l.items = slices.Grow(l.items, max(16, len(l.items))) // twice: append would copy large lists more often
	}
	l.items = append(l.items, entry)
}

// addUnchanged marks what is known as listed at the next place. It returns false, and adds nothing, if the id was
// listed before: then what was said there must be replaced.
func (l *putList[ID, V]) addUnchanged(known *item[V]) bool {
	if known.mark.put == l.number {
		return false
	}
	l.places++
	l.distinct++
	known.mark = mark{l.number, l.places}
	l.follow(known)
	return true
}

// markAt marks what is known as listed by this put, or moves the entry to where it was listed already.
func (l *putList[ID, V]) markAt(entry *listed[ID, V]) {
	if entry.known.mark.put == l.number {
		entry.place = entry.known.mark.place
		l.repeated = true
		return
	}
	entry.known.mark = mark{l.number, entry.place}
	l.distinct++
}

// follow notes what was listed, so that the next put can guess what comes where.
func (l *putList[ID, V]) follow(listed *item[V]) {
	if l.last != nil && l.last.next != listed {
		l.last.next = listed
	}
	l.last = listed
}

// guess is what the last put has listed at this place, after the same one; nil if there is no telling.
func (l *putList[ID, V]) guess() *item[V] {
	if l.last == nil {
		return nil
	}
	return l.last.next
}

// clear forgets what was listed so far.
func (l *putList[ID, V]) clear(number uint32) { *l = putList[ID, V]{number: number} }

// resolve looks up what is known of each member. What is not known goes into the set as pending. Of an id that is
// listed twice, the last value counts, in the place of the first, as in a Go map that encoding/json decodes.
func (s *versioned[ID, V]) resolve(l *putList[ID, V]) {
	if l.number == 0 {
		l.number = s.nextPut()
	}
	if len(s.items) == 0 && s.addAll(l) {
		return
	}
	for i := range l.items {
		entry := &l.items[i]
		if entry.known != nil {
			continue
		}
		if entry.known = s.items[entry.id]; entry.known == nil {
			entry.fresh.status = pending
			entry.known = entry.fresh
			s.items[entry.id] = entry.fresh
		}
		l.markAt(entry)
	}
	if l.repeated {
		l.dropRepeated()
	}
}

// addAll is resolve for a set that is empty, which is the case with the most to do. It returns false, and leaves the set
// empty, if an id is listed twice.
func (s *versioned[ID, V]) addAll(l *putList[ID, V]) bool {
	s.items = make(map[ID]*item[V], len(l.items)) // to let a map grow costs as much again
	for i := range l.items {
		entry := &l.items[i]
		s.items[entry.id] = entry.fresh
	}
	if len(s.items) < len(l.items) {
		clear(s.items)
		return false
	}
	for i := range l.items {
		entry := &l.items[i]
		entry.known = entry.fresh
		entry.known.status, entry.known.mark = pending, mark{l.number, entry.place}
	}
	l.distinct = len(l.items)
	return true
}

// dropRepeated keeps the last of those that have the same place.
func (l *putList[ID, V]) dropRepeated() {
	slices.SortStableFunc(l.items, func(a, b listed[ID, V]) int { return int(a.place) - int(b.place) })
	kept := l.items[:0]
	for i, entry := range l.items {
		if i+1 == len(l.items) || l.items[i+1].place != entry.place {
			kept = append(kept, entry)
		}
	}
	l.items = kept
}

// reject forgets a member that was pending and can't be used.
func (s *versioned[ID, V]) reject(l *putList[ID, V], entry *listed[ID, V]) {
	if entry.known.status == pending {
		s.forget(entry.id, entry.known)
		l.distinct--
	}
}
