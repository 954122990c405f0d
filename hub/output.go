package hub

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxWrite is how many bytes are written at most with one deadline.
const maxWrite = 64 << 10

// errEnded is the error of writes after the hub has ended the stream.
var errEnded = errors.New("the hub has ended the stream")

// output writes to a relay, with deadlines. Its first error stays.
type output struct {
	w       http.ResponseWriter
	sink    sink
	direct  *direct // the sink, if the connection was taken over; otherwise nil
	timeout time.Duration
	clears  bool // a deadline that passes while nothing is pending does harm, so it is cleared: see flush
	pending int  // bytes since the deadline was set
	held    bool // there may be bytes in a buffer that were not flushed
	err     error
	sum     checksum // of the uncompressed text; for gzip
	buffer  []byte   // for id lines

	written atomic.Uint64
	total   *atomic.Uint64 // of all relays
	allowed atomic.Int32   // an allowance
	writing sync.Mutex     // held while a write is pending

	mu     sync.Mutex // guards closed
	closed bool       // the request is over, and its connection is no longer ours
}

// allowance says which writes may begin. It never becomes more after allowNone.
type allowance int32

const (
	allowAll allowance = iota
	allowEnd           // none but the end of the stream: see reopen
	allowNone
)

func newOutput(w http.ResponseWriter, request *http.Request, timeout time.Duration, total *atomic.Uint64) output {
	return output{w: w, sink: newResponse(w), timeout: timeout, clears: request.ProtoMajor > 1, total: total}
}

// takeOver takes the connection over from net/http, if that is possible.
func (o *output) takeOver(request *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.direct = takeOver(o.w, request); o.direct != nil {
		o.sink, o.clears = o.direct, true
	}
}

// start begins the response.
func (o *output) start() {
	if o.direct != nil {
		o.direct.unsent = responseHead(o.w.Header())
	} else {
		o.w.WriteHeader(http.StatusOK)
	}
}

// write writes data in parts, each with a deadline of its own.
func (o *output) write(data []byte) {
	for len(data) > 0 && o.err == nil {
		part := data[:min(len(data), maxWrite-o.pending)]
		o.guarded(func() error {
			o.held = true
			n, err := o.sink.Write(part)
			o.count(n)
			return err
		}, o.pending == 0)
		data = data[len(part):]
		if o.pending += len(part); o.pending == maxWrite {
			o.pending = 0
		}
	}
}

func (o *output) count(n int) {
	o.written.Add(uint64(n))
	o.total.Add(uint64(n))
}

// flush sends the buffered bytes, and returns the first error so far. With HTTP/2 a deadline that passes later would end
// the stream; with a direct connection, writeNow would fail.
func (o *output) flush() error {
	o.guarded(o.sink.Flush, o.pending == 0)
	if o.err == nil {
		o.held = false
		if o.clears {
			_ = o.sink.SetWriteDeadline(time.Time{})
		}
	}
	o.pending = 0
	return o.err
}

// writeNow writes a delivery to a direct connection without waiting. It tells whether flush has nothing left to do.
func (o *output) writeNow(d *delivery) (whole bool) {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.isEnded() {
		o.err = errEnded
		return false
	}
	o.count(d.size)
	o.sum.append(d.sum)
	whole, o.err = o.direct.writeNow(d.chunk)
	o.held = !whole
	return whole
}

// add appends the checksum of a text that was written.
func (o *output) add(sum checksum) {
	if o.err == nil {
		o.sum.append(sum)
	}
}

// canWriteNow tells whether writeNow is possible.
func (o *output) canWriteNow() bool { return o.direct != nil && o.direct.raw != nil }

// guarded makes a call that writes, unless the stream was aborted. After the deadline is set it looks again: abort sets a
// deadline, too, and must have the last word.
func (o *output) guarded(write func() error, deadline bool) {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.err != nil {
		return
	}
	if deadline {
		_ = o.sink.SetWriteDeadline(time.Now().Add(o.timeout)) // not every ResponseWriter has deadlines
	}
	if o.isEnded() {
		o.err = errEnded
		return
	}
	o.err = write()
}

// refuse makes further writes fail, and lets one that is pending end. The stream can still end in order.
func (o *output) refuse() { o.allowed.CompareAndSwap(int32(allowAll), int32(allowEnd)) }

func (o *output) isEnded() bool { return allowance(o.allowed.Load()) != allowAll }

// writes tells whether a write is pending.
func (o *output) writes() bool {
	if o.writing.TryLock() {
		o.writing.Unlock()
		return false
	}
	return true
}

// cut ends a pending write, and the stream with it: over HTTP/2, a deadline that is over resets it.
func (o *output) cut() {
	if !o.writes() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		_ = o.sink.SetWriteDeadline(time.Unix(1, 0))
	}
}

// abort makes further writes fail for good, and ends one that is pending. Afterwards, awaitWrite returns soon.
func (o *output) abort() {
	o.allowed.Store(int32(allowNone))
	o.cut()
}

// reopen allows writes after refuse, for the end of the stream. It returns false after abort, if the stream is broken, or if they
// would send the bytes that were in a buffer before.
func (o *output) reopen() bool {
	if o.held || o.err != nil && !errors.Is(o.err, errEnded) || !o.allowed.CompareAndSwap(int32(allowEnd), int32(allowAll)) {
		return false
	}
	o.err = nil
	return true
}

// awaitWrite waits for the end of the write that is pending.
func (o *output) awaitWrite() {
	o.writing.Lock()
	defer o.writing.Unlock()
}

// close is for the end of the request. A connection that was not taken over may serve another one, which has no use for
// the deadline.
func (o *output) close(inOrder bool) {
	o.mu.Lock()
	o.closed = true // a late cut must not change the deadlines below
	o.mu.Unlock()
	switch {
	case o.direct == nil && !o.isEnded():
		_ = o.sink.SetWriteDeadline(time.Time{})
	case o.direct != nil:
		o.direct.close(inOrder, min(o.timeout, farewellTime))
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
