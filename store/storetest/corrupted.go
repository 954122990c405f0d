package storetest

import (
	"bytes"
	"slices"
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
		name    string
		change  func(stored []byte) []byte
		foreign bool // it may belong to somebody else, so that a Save may refuse to replace it
	}{
		{"emptied", func([]byte) []byte { return []byte{} }, false},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }, false},
		{"without the last byte", func(b []byte) []byte { return b[:len(b)-1] }, false},
		{"the first byte flipped", flip(func(int) int { return 0 }), true},
		{"a byte in the middle flipped", flip(func(size int) int { return size / 2 }), false},
		{"the last byte flipped", flip(func(size int) int { return size - 1 }), false},
		{"the second half zeroed", func(b []byte) []byte { clear(b[len(b)/2:]); return b }, false},
		{"something else", func([]byte) []byte { return bytes.Repeat([]byte("something else "), 100) }, true},
		{"twice in a row", func(b []byte) []byte { return append(b, b...) }, false},
	}
	for i, damage := range damages {
		stored, mended := uniform(10, i+1), uniform(10, i+1)
		save(t, s.Store, stored)
		var damaged []byte
		s.Corrupt(t, func(b []byte) []byte { damaged = damage.change(b); return slices.Clone(damaged) })
		// Only an error tells an operator that something is wrong.
		if snapshot, err := s.Store.Load(t.Context()); err == nil {
			t.Fatalf("%s: Load returned a snapshot (%v) and no error", damage.name, snapshot != nil)
		} else if snapshot != nil {
			t.Fatalf("%s: Load returned a snapshot together with the error: %v", damage.name, err)
		}
		requireBytes(t, s, damage.name+", then Load", damaged)
		if damage.foreign {
			if err := s.Store.Save(t.Context(), mended); err != nil {
				requireBytes(t, s, damage.name+", then a Save that refused: "+err.Error(), damaged)
				s.Corrupt(t, func([]byte) []byte { return nil }) // as its owner does: it is moved away
			}
		}
		// It must not stay that way: the next Save mends it.
		save(t, s.Store, mended)
		requireStored(t, s.Store, mended)

		if !damage.foreign {
			// A Save may also come before anything has loaded.
			s.Corrupt(t, damage.change)
			save(t, s.Store, mended)
			requireStored(t, s.Store, mended)
		}
	}
}

func requireBytes(t *testing.T, s Subject, after string, want []byte) {
	t.Helper()
	s.Corrupt(t, func(stored []byte) []byte {
		if !bytes.Equal(stored, want) {
			t.Fatalf("%s: what is stored has changed; it must stay as it is", after)
		}
		return stored
	})
}
