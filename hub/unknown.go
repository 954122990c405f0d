package hub

import (
	"crypto/sha256"
	"time"
)

// maxUnknownKeys bounds the memory for keys that are not known. An attacker who fills it gains nothing but the grace.
const maxUnknownKeys = 10_000

// unknownKeys remembers by hash when unknown keys were first seen.
type unknownKeys struct {
	first map[[sha256.Size]byte]time.Time
	order [][sha256.Size]byte // as they were first seen
}

// withinGrace tells whether a key was first seen less than the grace ago.
func (u *unknownKeys) withinGrace(hash [sha256.Size]byte, now time.Time, grace time.Duration) bool {
	if grace <= 0 {
		return false
	}
	first, seen := u.first[hash]
	if !seen {
		if u.first == nil {
			u.first = map[[sha256.Size]byte]time.Time{}
		}
		if len(u.order) == maxUnknownKeys {
			delete(u.first, u.order[0])
			u.order = append(u.order[:0], u.order[1:]...)
		}
		first = now
		u.first[hash] = now
		u.order = append(u.order, hash)
	}
	return now.Sub(first) < grace
}
