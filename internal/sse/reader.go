package sse

import (
	"io"
	"time"
)

// sizes are the sizes, in bytes, that a Reader works with.
type sizes struct {
	minBuf int // first size of the read buffer
	maxBuf int // largest size of it. Both it and the buffer for joined data may be kept for as long as the stream lives
	kept   int // how much of a comment or an event name is kept; smaller than maxBuf by more than fieldNameMax
}

// Reads larger than 256 KiB were not faster on a loopback connection. No comment or name that means something comes
// near 64 KiB.
var defaultSizes = sizes{minBuf: 16 << 10, maxBuf: 256 << 10, kept: 64 << 10}

// unnamed is the name of an event whose stream did not say one.
const unnamed = "message"

// maxEmptyReads is how many Reads in a row may return neither a byte nor an error, as in package bufio.
const maxEmptyReads = 100

// Reader reads one stream. One goroutine may call Next; Silence, LastByte and LastField may be called from any.
//
// It holds at most some 768 KiB between events, however large they were, and some 16 KiB once a comment says that
// the stream is idle. Reading an event allocates nothing, once the buffers have grown, if it is smaller than 256 KiB and
// its name is a known one or the same as before.
type Reader struct {
	src    io.Reader
	below  interface{ LastByte() time.Time } // src, if it knows when a byte of a Read under way came; nil if not
	srcErr error                             // the error of the last Read, which may come along with bytes
	err    error                             // the error that Next returns from now on
	limit  int                               // of size; 0 if there is none
	kept   int
	live   liveness
	lines  lines

	// The event under way.
	size     int    // bytes received of its lines, without line ends and comments
	name     string // empty if the stream did not say
	data     data
	longData bool // the line under way is a data line, and its beginning is in data already
	parted   bool // the beginning of its data was returned already

	names    Names
	quiet    bool   // the last item was a comment
	lastName string // the last name that took an allocation
}

// Names are the names of events that a Reader treats in a way of their own. It knows no protocol: they are passed in.
type Names struct {
	// Known are names that take no allocation.
	Known []string

	// Split is the name of events that are returned in parts, as they arrive, if they are large: see Item.More. All
	// parts but the last are larger than 128 KiB. That goes for events that have their name before their data, and a
	// first line of data that is long; others still come in one piece. Once a part was returned, the event does not
	// change its name any more. The default is none.
	Split string

	// Bare is the name of events that count also without a line of data, as for common clients. By the specification
	// such an event is dropped. The default is none.
	Bare string
}

// NewReader makes a reader. If src has a method LastByte() time.Time, which any goroutine may call, that says when the
// last byte came for a Read that has not returned yet. maxEventSize is in bytes as received, field names included and
// comments excluded; not positive means no limit.
func NewReader(src io.Reader, maxEventSize int, names Names) *Reader {
	return newReader(src, maxEventSize, names, defaultSizes)
}

func newReader(src io.Reader, maxEventSize int, names Names, s sizes) *Reader {
	r := &Reader{
		src:   src,
		limit: max(0, maxEventSize),
		kept:  s.kept,
		lines: lines{minBuf: s.minBuf, maxBuf: s.maxBuf},
		data:  data{chunkSize: s.maxBuf},
		names: names,
	}
	r.live.init()
	r.below, _ = src.(interface{ LastByte() time.Time })
	return r
}

// Next returns the next item. Comments and retry fields are returned as soon as their line has ended, also in the
// middle of an event.
//
// The error is ErrTooLarge as soon as more bytes of an event were received than the limit allows; io.EOF at the end of
// the stream; io.ErrUnexpectedEOF if the stream ended after some, but not all, of an event, which is dropped; or
// the error of the underlying Read. The reader is finished then: further calls return the same error.
func (r *Reader) Next() (Item, error) {
	for {
		if item, ok := r.Ready(); ok {
			return item, nil
		}
		if r.err != nil {
			r.lines, r.data = lines{}, data{} // their memory may be large
			return Item{}, r.err
		}
		r.err = r.read()
	}
}

// Ready is Next for an item that was received already: it returns false where Next would read, or return an error.
func (r *Reader) Ready() (Item, bool) {
	for r.err == nil {
		line, ok := r.lines.next()
		if !ok {
			return r.part()
		}
		item, ok, err := r.handle(line)
		if ok {
			r.quiet = item.Kind == Comment
			return item, true
		}
		r.err = err
	}
	return Item{}, false
}

// part returns the received part of a long line of data, if the event is one to split and the buffer is full.
func (r *Reader) part() (Item, bool) {
	if r.names.Split == "" || r.name != r.names.Split || !r.lines.isFull() {
		return Item{}, false
	}
	partial := r.lines.partial()
	value := partial
	switch {
	case r.longData && r.data.isEmpty():
	case !r.data.any:
		field, v := parseField(partial)
		if field != dataField {
			return Item{}, false
		}
		r.data.any, r.longData, value = true, true, v
	default:
		return Item{}, false
	}
	if r.err = r.count(len(partial)); r.err != nil {
		return Item{}, false
	}
	r.lines.consume()
	r.parted = true
	return Item{Kind: Event, Name: r.name, Data: value[:len(value):len(value)], More: true}, true
}

// handle takes in a whole line. It returns ok if that makes an item.
func (r *Reader) handle(line []byte) (item Item, ok bool, err error) {
	if r.longData {
		r.longData = false
		r.data.endLine(line)
		return Item{}, false, r.count(len(line))
	}
	if len(line) == 0 {
		item, ok = r.dispatch()
		return item, ok, nil
	}
	field, value := parseField(line)
	if field != dataField {
		value = value[:min(len(value), r.kept)]
	}
	if field == commentLine {
		return Item{Kind: Comment, Data: value[:len(value):len(value)]}, true, nil
	}
	if err := r.count(len(line)); err != nil {
		return Item{}, false, err
	}
	switch field {
	case dataField:
		r.data.addLine(value)
	case eventField:
		if !r.parted {
			r.name = r.intern(value)
		}
	case retryField:
		if d, ok := parseRetry(value); ok && len(value) < r.kept {
			return Item{Kind: Retry, Retry: d}, true, nil
		}
	}
	return Item{}, false, nil
}

// count counts bytes of a field line.
func (r *Reader) count(n int) error {
	r.live.sawField()
	r.size += n
	return r.checkSize(r.size)
}

func (r *Reader) checkSize(size int) error {
	if r.limit > 0 && size > r.limit {
		return ErrTooLarge
	}
	return nil
}

// dispatch ends the event under way. It is an item only if it had a data line, or is a bare one.
func (r *Reader) dispatch() (Item, bool) {
	dispatched, name := r.data.any || r.name != "" && r.name == r.names.Bare, r.name
	r.size, r.name, r.parted = 0, "", false
	if !dispatched {
		return Item{}, false
	}
	if name == "" {
		name = unnamed
	}
	return Item{Kind: Event, Name: name, Data: r.data.join()}, true
}

// intern makes a string of a name; without an allocation if it is a known one, or the same as before.
func (r *Reader) intern(name []byte) string {
	if string(name) == unnamed {
		return unnamed
	}
	for _, known := range r.names.Known {
		if string(name) == known {
			return known
		}
	}
	if string(name) != r.lastName {
		r.lastName = string(name)
	}
	return r.lastName
}

// read gets more bytes. It is called when the buffer holds no whole line, only the line under way.
func (r *Reader) read() error {
	partial := r.lines.partial()
	inField := r.longData || len(partial) > 0 && partial[0] != ':'
	if inField {
		if len(partial) > 0 {
			r.live.sawField()
		}
		if err := r.checkSize(r.size + len(partial)); err != nil {
			return err
		}
	}
	if r.srcErr == io.EOF && (inField || r.size > 0) {
		return io.ErrUnexpectedEOF
	}
	if r.srcErr != nil {
		return r.srcErr
	}

	r.data.settle()
	if r.quiet && r.size == 0 {
		r.lines.shrink() // a comment and nothing after it: the stream is idle
		r.data.shrink()
	}
	free := r.lines.free()
	if len(free) == 0 {
		r.shortenLine()
		free = r.lines.free()
	}
	for range maxEmptyReads {
		r.live.readBegins(len(partial) > 0 && !inField)
		n, err := r.src.Read(free)
		r.live.readEnds(n)
		r.lines.add(n)
		if n > 0 || err != nil {
			r.srcErr = err
			return nil
		}
	}
	return io.ErrNoProgress
}

// shortenLine makes room when the line under way fills the whole buffer: a data line is moved on, of others only the
// beginning is kept.
func (r *Reader) shortenLine() {
	partial := r.lines.partial()
	field, value := dataField, partial
	if !r.longData {
		field, value = parseField(partial)
	}
	if field == dataField {
		if !r.longData {
			r.data.startLine()
			r.longData = true
		}
		r.data.appendOwned(value)
		r.lines.giveAway()
		r.size += len(partial)
		return
	}
	keep := fieldNameMax + r.kept
	r.lines.truncate(keep)
	if field != commentLine {
		r.size += len(partial) - keep
	}
}
