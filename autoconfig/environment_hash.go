package autoconfig

import (
	"hash/maphash"
	"math"
)

// hashSeed differs from process to process, so that nobody can make two texts that have the same hash. Two that differ
// have it by chance once in 2^64.
var hashSeed = maphash.MakeSeed()

// setText notes the text that the environment was decoded from, or one that says the same.
func (e *environment) setText(text []byte) {
	if len(text) <= math.MaxUint32 {
		e.textHash, e.textLength = maphash.Bytes(hashSeed, text), uint32(len(text))
	}
}

// isAt says whether text begins with the same bytes as the text of the environment. Since that is a whole JSON object,
// what begins there is the same object then.
func (e *environment) isAt(text []byte) bool {
	return e.textLength > 0 && int(e.textLength) <= len(text) &&
		maphash.Bytes(hashSeed, text[:e.textLength]) == e.textHash
}
