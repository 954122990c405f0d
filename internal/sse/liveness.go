package sse

import (
	"sync/atomic"
	"time"
)

// never is a time at which something has not happened yet.
const never = -1

// liveness knows when bytes came. One goroutine writes it, any may read it. Times are nanoseconds after born, on its
// monotonic clock, so that a change of the wall clock is no silence.
type liveness struct {
	born         time.Time
	waitingSince atomic.Int64 // when the Read under way began; never if there is none
	lastByte     atomic.Int64
	lastField    atomic.Int64
	inComment    atomic.Bool // the Read under way is for the rest of a comment
}

func (l *liveness) init() {
	l.born = time.Now()
	l.waitingSince.Store(never)
	l.lastByte.Store(never)
	l.lastField.Store(never)
}

// readBegins says that a Read begins.
func (l *liveness) readBegins(inComment bool) {
	if l.inComment.Load() != inComment {
		l.inComment.Store(inComment)
	}
	l.waitingSince.Store(int64(time.Since(l.born)))
}

// readEnds says that the Read has returned n bytes.
func (l *liveness) readEnds(n int) {
	if n > 0 {
		l.lastByte.Store(int64(time.Since(l.born)))
	}
	l.waitingSince.Store(never)
}

// sawField says that the bytes of the last Read hold a part of a field line. It is called for each line, and a load is
// much cheaper than a store.
func (l *liveness) sawField() {
	if at := l.lastByte.Load(); at != l.lastField.Load() {
		l.lastField.Store(at)
	}
}

// Silence is how long the Read that is under way has waited for a byte; 0 if none is under way, so that the time an
// item is being handled is no silence. Any goroutine.
func (r *Reader) Silence(now time.Time) time.Duration {
	since := r.live.waitingSince.Load()
	if since == never {
		return 0
	}
	return max(0, now.Sub(later(r.live.at(since), r.lastByteBelow())))
}

// lastByteBelow is when a byte came that no Read has returned yet, or has returned by now; zero if src can't tell.
func (r *Reader) lastByteBelow() time.Time {
	if r.below == nil {
		return time.Time{}
	}
	return r.below.LastByte()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// LastByte is when the last byte came; zero if there was none. Any goroutine.
func (r *Reader) LastByte() time.Time {
	return later(r.live.at(r.live.lastByte.Load()), r.lastByteBelow())
}

// LastField is when the last byte came that belongs to an event rather than to a comment or a blank line: to a field
// line, be it whole or under way. Zero if there was none. It is known once Next has come to that line. Bytes that no
// Read has returned yet count as part of an event, unless a comment is under way: only large events come in such
// pieces. Any goroutine.
func (r *Reader) LastField() time.Time {
	field := r.live.at(r.live.lastField.Load())
	if r.live.waitingSince.Load() == never || r.live.inComment.Load() {
		return field
	}
	if below := r.lastByteBelow(); below.After(r.live.at(r.live.lastByte.Load())) {
		return below
	}
	return field
}

func (l *liveness) at(nanos int64) time.Time {
	if nanos == never {
		return time.Time{}
	}
	return l.born.Add(time.Duration(nanos))
}
