package wire

import "iter"

// Entries is a list of entries, in chunks: it grows without a copy, and without memory that is left over. The zero value
// is empty.
type Entries struct {
	chunks [][]Entry
	count  int
}

// The first chunk is small, since most puts say little that is new.
const (
	firstChunk   = 16
	mostInAChunk = 1024
)

// Add adds an entry at the end. If that begins a chunk, the chunk before it is returned: it does not change any more.
func (e *Entries) Add(entry Entry) (full []Entry) {
	last := len(e.chunks) - 1
	if last < 0 || len(e.chunks[last]) == cap(e.chunks[last]) {
		if last >= 0 {
			full = e.chunks[last]
		}
		e.chunks = append(e.chunks, make([]Entry, 0, min(max(firstChunk, e.count), mostInAChunk)))
		last++
	}
	e.chunks[last] = append(e.chunks[last], entry)
	e.count++
	return full
}

// Last returns the last entry, which may be changed; nil if there is none.
func (e *Entries) Last() *Entry {
	if e.count == 0 {
		return nil
	}
	chunk := e.chunks[len(e.chunks)-1]
	return &chunk[len(chunk)-1]
}

// Len is how many entries there are.
func (e *Entries) Len() int { return e.count }

// All yields the entries in order.
func (e *Entries) All() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, chunk := range e.chunks {
			for i := range chunk {
				if !yield(&chunk[i]) {
					return
				}
			}
		}
	}
}
