// Package sealed encrypts snapshots for stores. The stores of relayconf share this format, and a store of your own can
// use it, too: make a Box with NewBox, keep the bytes that Seal returns, and give them to Open later.
//
// The format, with numbers in big-endian order:
//
//	offset  size
//	     0     8  magic, "rlyconf" and a zero byte
//	     8     2  version of the format: 1
//	    10     2  size of the header: 88
//	    12     1  how the keys are derived: 1 is HKDF-SHA256
//	    13     1  how the payload is compressed: 1 is gzip
//	    14     2  zero
//	    16     8  size of the payload with its tag
//	    24    32  salt
//	    56    12  nonce
//	    68    16  key check, which tells a wrong key from damage
//	    84     4  CRC-32 (IEEE) of the header up to here
//	    88     …  payload: JSON, compressed, then AES-256-GCM with the whole header as additional data
//
// The first 12 bytes, and a CRC-32 as the last 4 of the header, stay where they are in every version, so that a newer
// version can be told from damage. The encryption key and the key check are derived from the Box's key and the salt, each
// with an info of its own. Salt and nonce are random and new each time.
package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

const (
	magic          = "rlyconf\x00"
	formatVersion  = 1
	kdfHKDFSHA256  = 1
	compressedGzip = 1

	saltSize     = 32
	nonceSize    = 12
	keyCheckSize = 16
	tagSize      = 16
	checksumSize = 4

	preludeSize = 12

	// HeaderSize is the size in bytes of the header: as much as CheckHeader needs.
	HeaderSize = 88
)

// The errors of Open and CheckHeader, to be matched with errors.Is. Each continues a sentence: "it …".
var (
	// ErrForeign means that the data was not made by a Box. It may belong to somebody else.
	ErrForeign = errors.New("it is not a stored configuration of relayconf")
	// ErrNewerFormat means that a newer version of relayconf made the data.
	ErrNewerFormat = errors.New("it was written by a newer version of relayconf")
	// ErrTruncated means that the end of the data is missing. No data at all is truncated, too.
	ErrTruncated = errors.New("it is truncated")
	// ErrDamaged means that some bytes of the data have changed.
	ErrDamaged = errors.New("it is damaged")
	// ErrWrongKey means that the data is encrypted with a key that the Box does not have.
	ErrWrongKey = errors.New("it is encrypted with another key")
	// ErrTooLarge means that the data, or the snapshot as JSON, is larger than the limit of the Box. Seal returns it, too.
	ErrTooLarge = errors.New("it is too large")
)

// header is the part in front of the payload. It is authenticated, but not encrypted.
type header struct {
	payloadSize uint64
	salt        [saltSize]byte
	nonce       [nonceSize]byte
	keyCheck    [keyCheckSize]byte
}

func (h *header) bytes() []byte {
	b := make([]byte, 0, HeaderSize)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, formatVersion)
	b = binary.BigEndian.AppendUint16(b, HeaderSize)
	b = append(b, kdfHKDFSHA256, compressedGzip, 0, 0)
	b = binary.BigEndian.AppendUint64(b, h.payloadSize)
	b = append(b, h.salt[:]...)
	b = append(b, h.nonce[:]...)
	b = append(b, h.keyCheck[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// parseHeader reads the header at the beginning of data.
func parseHeader(data []byte) (*header, error) {
	if len(data) < len(magic) || string(data[:len(magic)]) != magic {
		if strings.HasPrefix(magic, string(data[:min(len(data), len(magic))])) {
			return nil, ErrTruncated
		}
		return nil, ErrForeign
	}
	if len(data) < preludeSize {
		return nil, ErrTruncated
	}
	version := binary.BigEndian.Uint16(data[8:])
	size := int(binary.BigEndian.Uint16(data[10:]))
	if size < preludeSize+checksumSize || (version == formatVersion && size != HeaderSize) {
		return nil, fmt.Errorf("%w: the header has an impossible size", ErrDamaged)
	}
	if len(data) < size {
		return nil, ErrTruncated
	}
	data = data[:size]
	if crc32.ChecksumIEEE(data[:size-checksumSize]) != binary.BigEndian.Uint32(data[size-checksumSize:]) {
		return nil, fmt.Errorf("%w: the header has a wrong checksum", ErrDamaged)
	}
	if version > formatVersion {
		return nil, fmt.Errorf("%w: format %d, of which this one knows up to %d", ErrNewerFormat, version, formatVersion)
	}
	if version < formatVersion || data[12] != kdfHKDFSHA256 || data[13] != compressedGzip {
		return nil, fmt.Errorf("%w: the header makes no sense", ErrDamaged)
	}
	h := &header{payloadSize: binary.BigEndian.Uint64(data[16:])}
	copy(h.salt[:], data[24:])
	copy(h.nonce[:], data[56:])
	copy(h.keyCheck[:], data[68:])
	return h, nil
}
