package stream

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// body reads the text of a response, decompressed if need be. It knows when the last byte came on the wire, also if that
// byte has not led to any text yet.
type body struct {
	raw        io.Reader
	compressed bool

	// Of a compressed stream. It may consist of several members, each a gzip stream of its own.
	wire     *bufio.Reader
	member   *gzip.Reader
	inMember bool

	below    interface{ LastByte() time.Time } // the response's body, if it knows of bytes that no Read has returned yet
	lastRead atomic.Int64                      // when a Read of the response last returned bytes, in nanoseconds after born; 0: never
	born     time.Time
}

func newBody(response *http.Response) *body {
	b := &body{raw: response.Body, compressed: isCompressed(response), born: time.Now()}
	b.below, _ = response.Body.(interface{ LastByte() time.Time })
	if b.compressed {
		b.wire, b.member = bufio.NewReader(countedReader{b}), new(gzip.Reader)
	}
	return b
}

// Read implements io.Reader. It returns text as soon as it can be decompressed: at the end of a member it does not wait
// for the next one to begin, as a gzip.Reader left to itself would.
func (b *body) Read(p []byte) (int, error) {
	if !b.compressed {
		return b.raw.Read(p)
	}
	if !b.inMember {
		if err := b.member.Reset(b.wire); err != nil {
			return 0, err
		}
		b.member.Multistream(false)
		b.inMember = true
	}
	n, err := b.member.Read(p)
	if err == io.EOF {
		b.inMember, err = false, nil
	}
	return n, err
}

// LastByte is when the last byte came on the wire; zero if Reads tell that well enough. Any goroutine.
func (b *body) LastByte() time.Time {
	var last time.Time
	if at := b.lastRead.Load(); at != 0 {
		last = b.born.Add(time.Duration(at))
	}
	if b.below != nil {
		if at := b.below.LastByte(); at.After(last) {
			last = at
		}
	}
	return last
}

// countedReader reads the raw bytes below the decompressor.
type countedReader struct{ b *body }

func (r countedReader) Read(p []byte) (int, error) {
	n, err := r.b.raw.Read(p)
	if n > 0 {
		r.b.lastRead.Store(int64(time.Since(r.b.born)))
	}
	return n, err
}
