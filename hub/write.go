package hub

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/digest"
)

// maxWrite is how many bytes are written at most with one deadline.
const maxWrite = 64 << 10

// errEnded is the error of writes after the hub has ended the stream.
var errEnded = errors.New("the hub has ended the stream")

// output writes to a relay, with deadlines. Its first error stays.
type output struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	clears  bool // a deadline that passes while nothing is pending does harm, so it is cleared: HTTP/2 ends the stream
	pending int  // bytes since the deadline was set
	held    bool // there may be bytes in a buffer that were not flushed
	err     error
	sum     checksum // of the uncompressed text; for gzip
	buffer  []byte   // for id lines

	written atomic.Uint64
	total   *atomic.Uint64 // of all relays
	aborted atomic.Bool
	writing sync.Mutex // held while a write is pending

	mu     sync.Mutex // guards closed
	closed bool       // the request is over, and its connection is no longer ours
}

func newOutput(w http.ResponseWriter, request *http.Request, timeout time.Duration, total *atomic.Uint64) output {
	return output{w: w, control: http.NewResponseController(w), timeout: timeout, clears: request.ProtoMajor > 1, total: total}
}

// write writes data in parts, each with a deadline of its own.
func (o *output) write(data []byte) {
	for len(data) > 0 && o.err == nil {
		part := data[:min(len(data), maxWrite-o.pending)]
		o.guarded(func() error {
			o.held = true
			n, err := o.w.Write(part)
			o.written.Add(uint64(n))
			o.total.Add(uint64(n))
			return err
		}, o.pending == 0)
		data = data[len(part):]
		if o.pending += len(part); o.pending == maxWrite {
			o.pending = 0
		}
	}
}

// flush sends the buffered bytes, and returns the first error so far.
func (o *output) flush() error {
	o.guarded(o.control.Flush, o.pending == 0)
	if o.err == nil {
		o.held = false
		if o.clears {
			_ = o.control.SetWriteDeadline(time.Time{})
		}
	}
	o.pending = 0
	return o.err
}

// add appends the checksum of a text that was written.
func (o *output) add(sum checksum) {
	if o.err == nil {
		o.sum.append(sum)
	}
}

// guarded makes a call that writes, unless the stream was aborted. After the deadline is set it looks again: abort sets a
// deadline, too, and must have the last word.
func (o *output) guarded(write func() error, deadline bool) {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.err != nil {
		return
	}
	if deadline {
		_ = o.control.SetWriteDeadline(time.Now().Add(o.timeout)) // not every ResponseWriter has deadlines
	}
	if o.aborted.Load() {
		o.err = errEnded
		return
	}
	o.err = write()
}

// refuse makes further writes fail, and lets one that is pending end. The stream can still end in order.
func (o *output) refuse() { o.aborted.Store(true) }

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
		_ = o.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

// abort makes further writes fail, and ends one that is pending. Afterwards, awaitWrite returns soon.
func (o *output) abort() {
	o.refuse()
	o.cut()
}

// reopen allows writes after refuse, for the end of the stream. It returns false if the stream is broken, or if they would send
// the bytes that were in a buffer before.
func (o *output) reopen() bool {
	if o.held || o.err != nil && !errors.Is(o.err, errEnded) {
		return false
	}
	o.err = nil
	o.aborted.Store(false)
	return true
}

// awaitWrite waits for the end of the write that is pending.
func (o *output) awaitWrite() {
	o.writing.Lock()
	defer o.writing.Unlock()
}

// close is for the end of the request. The connection may serve another one, which has no use for the deadline.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if !o.aborted.Load() {
		_ = o.control.SetWriteDeadline(time.Time{})
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// begin writes the header and, to a relay that resumes, an event that changes nothing.
func (r *relay) begin() error {
	header := r.out.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache, no-transform")
	header.Set("X-Accel-Buffering", "no")
	header.Set("Vary", "Accept-Encoding, Authorization")
	if r.encoding == gzipped {
		header.Set("Content-Encoding", "gzip")
	}
	if r.resumed {
		header.Set("Relayconf-Resumed", "true")
	}
	if r.unconfirmed != "" {
		header.Set("Relayconf-Unconfirmed", r.unconfirmed)
	}
	r.out.w.WriteHeader(http.StatusOK)
	if r.encoding == gzipped {
		r.out.write(gzipHeader)
	}
	if r.resumed {
		r.hub.counters.resumed.Add(1)
		r.event(resumedEvent, r.point.digest)
	}
	return r.out.flush()
}

// writeEvents writes patches and deletes.
func (r *relay) writeEvents(entries []entry) error {
	for _, e := range entries {
		r.event(e.event, e.digest)
	}
	if err := r.out.flush(); err != nil {
		return err
	}
	r.hub.counters.events.Add(uint64(len(entries)))
	if observe := r.hub.settings.delivered; observe != nil {
		now := time.Now()
		for _, e := range entries {
			observe(now.Sub(e.at))
		}
	}
	return nil
}

// writePut writes a put; two, if the relay may have missed that an item was removed which came back at a version not
// greater than before: one without it, then one with it.
func (r *relay) writePut(next job) error {
	b := next.body
	if next.encode {
		b.encode()
	} else {
		select {
		case <-b.ready:
		case <-r.stopped:
			return nil
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
	r.hub.counters.puts.Add(1)
	if n := b.missed(r.generation); n > 0 {
		r.put(b.without(r.hub, n))
		if err := r.out.flush(); err != nil {
			return err
		}
	}
	r.put(b.full)
	return r.out.flush()
}

func (r *relay) put(f frame) {
	r.out.write(f.data)
	r.out.add(f.sum)
	r.wrote(f.digest)
}

// event writes an event that leads to a state.
func (r *relay) event(event *piece, d digest.Digest) {
	r.piece(event)
	id, sum := appendID(r.out.buffer[:0], d, r.encoding)
	r.out.buffer = id
	r.out.write(id)
	r.out.add(sum)
	r.wrote(d)
}

func (r *relay) piece(p *piece) {
	data, sum := p.bytes(r.encoding)
	r.out.write(data)
	r.out.add(sum)
}

func (r *relay) wrote(d digest.Digest) { r.lastEvent, r.lastEventID = time.Now(), d }

// end ends the encoding.
func (r *relay) end() {
	if r.encoding == gzipped {
		r.out.write(gzipTrailer(r.out.sum))
	}
}
