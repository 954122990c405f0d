// Package digest computes the digest of a configuration: a number that is the same if and only if the ids and versions
// in it are the same, in any order. A hub gives it to relays as the id of each event, and a relay computes it of the
// configuration that it holds, so the two need not compare the configurations themselves.
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strconv"
)

// Kind is the kind of an item.
type Kind byte

// The kinds of items.
const (
	Environment Kind = 'e'
	Filter      Kind = 'f'
)

// Digest is the sum, modulo 2^128, of the hashes of all items of a configuration. The zero value is the digest of an
// empty configuration. It costs a hash to keep it up to date when one item changes, or two if the old one was not kept.
type Digest struct{ high, low uint64 }

// Add adds an item.
func (d *Digest) Add(kind Kind, id string, version int) { *d = d.Plus(Of(kind, id, version)) }

// Plus returns the digest of the items of both.
func (d Digest) Plus(other Digest) Digest {
	low, carry := bits.Add64(d.low, other.low, 0)
	high, _ := bits.Add64(d.high, other.high, carry)
	return Digest{high: high, low: low}
}

// Remove takes an item out again that was added with the same version.
func (d *Digest) Remove(kind Kind, id string, version int) { *d = d.Minus(Of(kind, id, version)) }

// Minus returns the digest without the items of another.
func (d Digest) Minus(other Digest) Digest {
	low, borrow := bits.Sub64(d.low, other.low, 0)
	high, _ := bits.Sub64(d.high, other.high, borrow)
	return Digest{high: high, low: low}
}

// String returns the digest as 32 hexadecimal digits.
func (d Digest) String() string {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], d.high)
	binary.BigEndian.PutUint64(bytes[8:], d.low)
	return hex.EncodeToString(bytes[:])
}

// Parse parses the text that String returned. It returns false if the text is not a digest.
func Parse(text string) (d Digest, ok bool) {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != 16 {
		return Digest{}, false
	}
	d = Digest{high: binary.BigEndian.Uint64(bytes[:8]), low: binary.BigEndian.Uint64(bytes[8:])}
	return d, d.String() == text
}

// Of returns the digest of one item: the first 128 bits of the SHA-256 of its kind, its version in decimal digits, a colon,
// its id. The colon keeps the two apart for any text of the id. The form is the same for ever, since hubs and relays of
// different versions compare digests.
func Of(kind Kind, id string, version int) Digest {
	var buffer [128]byte
	text := strconv.AppendInt(append(buffer[:0], byte(kind)), int64(version), 10)
	text = append(append(text, ':'), id...)
	sum := sha256.Sum256(text)
	return Digest{high: binary.BigEndian.Uint64(sum[:8]), low: binary.BigEndian.Uint64(sum[8:16])}
}
