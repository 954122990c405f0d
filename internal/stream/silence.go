package stream

import (
	"context"
	"sync"
	"time"

	"github.com/relayconf/relayconf/internal/sse"
)

// watch ends a connection that has been silent for the read timeout, or that sends nothing but comments while its first
// put is due. Time that the owner of the line spends in handlers counts for neither.
//
// Its timer is set to when the timeout may next have passed, and finds out then whether it has; so bytes that come need
// not touch it.
type watch struct {
	timeout time.Duration
	cancel  context.CancelCauseFunc // of the connection; its cause is a *timeoutError
	timer   *time.Timer

	mu          sync.Mutex
	stopped     bool
	dialled     time.Time
	reader      *sse.Reader   // nil until the connection is open
	fed         bool          // the first put was applied, so that none is due
	dueFrom     time.Time     // when the connection was open or last brought an event, less the time of handlers
	pauses      int           // handler calls under way: one for a key that expires may be within that for an item
	pausedSince time.Time     // when the outermost of them began
	goneOff     bool          // the timer has, during the call
	paused      time.Duration // in handler calls since the connection last read
}

// timeoutError is the cause of a connection's end by its watch.
type timeoutError struct{ failure *Failure }

func (e *timeoutError) Error() string { return e.failure.Err.Error() }

func newWatch(timeout time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{timeout: timeout, cancel: cancel, dialled: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(timeout, w.timerGoesOff)
	return w
}

// stop ends the watch for good, also if a handler call or a check is under way.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}

// opened notes that the connection is open.
func (w *watch) opened(reader *sse.Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reader, w.dueFrom = reader, time.Now()
}

// proceed notes that the connection reads on after items were handled, with an event among them or not.
func (w *watch) proceed(event, fed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = 0
	w.fed = w.fed || fed
	if event {
		w.dueFrom = time.Now() // the time it takes to apply a part of the put is no delay of the service's
	}
}

// pause notes that a handler call begins.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pauses++; w.pauses == 1 {
		w.pausedSince = time.Now()
	}
}

// resume notes that the handler call has ended.
func (w *watch) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pauses--; w.pauses > 0 {
		return
	}
	took := time.Since(w.pausedSince)
	w.paused += took
	w.dueFrom = w.dueFrom.Add(took)
	if w.goneOff {
		w.goneOff = false
		w.check()
	}
}

// timerGoesOff checks now, or else when the handler call under way has ended.
func (w *watch) timerGoesOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pauses > 0 {
		w.goneOff = true
		return
	}
	w.check()
}

// check ends the connection if the timeout has passed, or sets the timer to when it may next have. The lock is held.
func (w *watch) check() {
	if w.stopped {
		return
	}
	now := time.Now()
	silence, overdue := w.silence(now), w.overdue(now)
	switch {
	case silence < w.timeout && overdue < w.timeout:
		w.timer.Reset(w.timeout - max(silence, overdue))
	case w.reader == nil:
		w.cancel(&timeoutError{timeoutFailure("no answer from the service for %s", w.timeout)})
	case silence >= w.timeout:
		w.cancel(&timeoutError{timeoutFailure("nothing came on the connection for %s", w.timeout)})
	default:
		w.cancel(&timeoutError{timeoutFailure("nothing but comments came on the new connection for %s", w.timeout)})
	}
}

// silence is for how long nothing has come from the service.
func (w *watch) silence(now time.Time) time.Duration {
	if w.reader == nil {
		return now.Sub(w.dialled) - w.paused
	}
	return max(0, w.reader.Silence(now)-w.paused)
}

// overdue is for how long, on a connection that has yet to bring its put, nothing has come that could be a part of one;
// 0 if none is due.
func (w *watch) overdue(now time.Time) time.Duration {
	if w.fed || w.reader == nil {
		return 0
	}
	from := w.dueFrom
	if field := w.reader.LastField(); field.After(from) {
		from = field
	}
	return now.Sub(from)
}
