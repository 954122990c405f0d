package storetest

import (
	"bytes"
	"testing"
)

func testCorrupted(t *testing.T, s Subject) {
	if s.Corrupt == nil {
		t.Skip("the Subject has no Corrupt")
	}
	flip := func(at func(size int) int) func([]byte) []byte {
		return func(stored []byte) []byte {
			stored[at(len(stored))] ^= 0x40
			return stored
		}
	}
	damages := []struct {
		name   string
		change func(stored []byte) []byte
	}{
		{"emptied", func([]byte) []byte { return []byte{} }},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }},
		{"without the last byte", func(b []byte) []byte { return b[:len(b)-1] }},
		{"the first byte flipped", flip(func(int) int { return 0 })},
		{"a byte in the middle flipped", flip(func(size int) int { return size / 2 })},
		{"the last byte flipped", flip(func(size int) int { return size - 1 })},
		{"the second half zeroed", func(b []byte) []byte { clear(b[len(b)/2:]); return b }},
		{"something else", func([]byte) []byte { return bytes.Repeat([]byte("something else "), 100) }},
		{"twice in a row", func(b []byte) []byte { return append(b, b...) }},
	}
	for i, damage := range damages {
		stored := uniform(10, i+1)
		save(t, s.Store, stored)
		s.Corrupt(t, damage.change)
		// Only an error tells an operator that something is wrong.
		if snapshot, err := s.Store.Load(t.Context()); err == nil {
			t.Fatalf("%s: Load returned a snapshot (%v) and no error", damage.name, snapshot != nil)
		} else if snapshot != nil {
			t.Fatalf("%s: Load returned a snapshot together with the error: %v", damage.name, err)
		}
		// It must not stay that way: the next Save mends it.
		mended := uniform(10, i+1)
		save(t, s.Store, mended)
		requireStored(t, s.Store, mended)

		// A manager may also save before anything has loaded.
		s.Corrupt(t, damage.change)
		save(t, s.Store, mended)
		requireStored(t, s.Store, mended)
	}
}
