package wire

import "hash/maphash"

var hashSeed = maphash.MakeSeed()

// Hash returns the hash of an id by which places are looked up. It differs from process to process.
func Hash(id []byte) uint32 { return uint32(maphash.Bytes(hashSeed, id)) }
