//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// encoded is a contender with or without compression.
type encoded struct {
	contender string
	gzip      bool
}

func (e encoded) String() string {
	if e.gzip {
		return e.contender + ", gzip"
	}
	return e.contender
}

// together does something for n relays at once, and returns how long each took since the start, in order.
func together(n int, do func(i int) error) (took []time.Duration) {
	var group sync.WaitGroup
	took = make([]time.Duration, n)
	start := time.Now()
	for i := range n {
		group.Go(func() {
			check(do(i))
			took[i] = time.Since(start)
		})
	}
	group.Wait()
	slices.Sort(took)
	return took
}

// putBytes is how many bytes the body of a put has. It is found out with a process of its own: with gzip, the relays
// of a measurement count bytes rather than decompress them, which would take more CPU time than all else.
func putBytes(e encoded, up *upstream) int64 {
	for range 3 {
		if size, ok := onlyPut(e, up); ok { // no keepalive came with it
			return size
		}
	}
	check(errors.New("the stream does not begin with just a put"))
	return 0
}

// onlyPut reads until nothing more comes, and tells whether that was a put and no more.
func onlyPut(e encoded, up *upstream) (size int64, ok bool) {
	p := start(e.contender, up)
	defer p.stop()
	r, err := open(p.address, ask{gzip: e.gzip})
	check(err)
	defer r.close()
	var body bytes.Buffer
	for err == nil {
		check(r.conn.SetReadDeadline(time.Now().Add(time.Second)))
		_, err = io.CopyN(&body, r.response.Body, 1<<10)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		check(err)
	}
	size = int64(body.Len())
	text := body.Bytes()
	if e.gzip {
		unzip, err := gzip.NewReader(&body)
		check(err)
		text, err = io.ReadAll(unzip)
		if !errors.Is(err, io.ErrUnexpectedEOF) { // the stream has no end
			check(err)
		}
	}
	return size, bytes.HasPrefix(text, []byte("event: put\n")) && bytes.Index(text, []byte("\n\n")) == len(text)-2
}
