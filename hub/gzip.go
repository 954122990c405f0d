package hub

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// A gzip stream to a relay is a header, then pieces that are the same for all relays, and, at an orderly end, a
// trailer. Each piece is a run of deflate blocks that refers to nothing before it and ends at a byte boundary, with the
// empty stored block that makes a reader pass on all that it has.

// gzipHeader is that of RFC 1952: deflate, no flags, no time, no hint about the compression, an unknown system.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// syncMarker is an empty stored block that is not the last one.
var syncMarker = []byte{0, 0, 0, 0xff, 0xff}

// storedHeader begins a stored block of n bytes, at most 65,535, that is not the last one.
func storedHeader(n int) []byte {
	return []byte{0, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}
}

// gzipTrailer ends a stream: an empty stored block that is the last one, the checksum and the length of the text.
func gzipTrailer(sum checksum) []byte {
	trailer := []byte{1, 0, 0, 0xff, 0xff}
	trailer = binary.LittleEndian.AppendUint32(trailer, sum.crc)
	return binary.LittleEndian.AppendUint32(trailer, sum.length)
}

// zipped is a compressed piece, and the checksum of its text.
type zipped struct {
	data []byte
	sum  checksum
}

// pieceSize is how large a piece is expected to be.
type pieceSize int

const (
	smallPiece pieceSize = iota // an event: quick to begin
	largePiece                  // a put: small in the end
)

// deflaters keeps compressors for further pieces, by size. Each has between some KiB and a MiB of tables.
var deflaters = [...]sync.Pool{
	smallPiece: {New: func() any { return newFlateWriter(flate.BestSpeed) }},
	largePiece: {New: func() any { return newFlateWriter(flate.DefaultCompression) }},
}

func newFlateWriter(level int) *flate.Writer {
	w, err := flate.NewWriter(nil, level)
	if err != nil {
		panic(err) // the level is one of those that exist
	}
	return w
}

// deflater compresses one piece.
type deflater struct {
	size   pieceSize
	writer *flate.Writer
	out    bytes.Buffer
	crc    uint32
	length int
}

func newDeflater(size pieceSize) *deflater {
	d := &deflater{size: size, writer: deflaters[size].Get().(*flate.Writer)}
	d.writer.Reset(&d.out)
	return d
}

// Write never fails.
func (d *deflater) Write(text []byte) (int, error) {
	d.crc = crc32.Update(d.crc, crc32.IEEETable, text)
	d.length += len(text)
	return d.writer.Write(text)
}

func (d *deflater) finish() zipped {
	_ = d.writer.Flush() // it writes to memory
	d.writer.Reset(nil)
	deflaters[d.size].Put(d.writer)
	return zipped{
		data: bytes.Clone(d.out.Bytes()),
		sum:  checksum{crc: d.crc, length: uint32(d.length), shift: shiftOver(d.length)},
	}
}
