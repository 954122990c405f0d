package autoconfig

import (
	"fmt"
	"time"

	"github.com/relayconf/relayconf/internal/sse"
)

// checkSilence drops a connection that has been silent for the read timeout, or that sends nothing but comments where
// a put is due. Otherwise it sets the watchdog to when that could next be so.
func (r *runner) checkSilence() error {
	now := time.Now()
	timeout := r.m.readTimeout
	silence, overdue := r.silence(now), r.putOverdue(now)
	switch {
	case silence < timeout && overdue < timeout:
		r.watchdog.Reset(timeout - max(silence, overdue))
		return nil
	case r.conn.reader == nil:
		return r.lost(timeoutFailure("no answer from the service for %s", timeout))
	case silence >= timeout:
		return r.lost(timeoutFailure("nothing came on the connection for %s", timeout))
	default:
		return r.checkOverduePut(timeout)
	}
}

// checkOverduePut drops a connection whose put is overdue, unless something is waiting to be taken that is no comment.
func (r *runner) checkOverduePut(timeout time.Duration) error {
	select {
	case s := <-r.conn.signals:
		if s.err != nil || s.item.Kind != sse.Comment {
			r.watchdog.Reset(timeout)
			return r.take(s)
		}
	default:
	}
	return r.lost(timeoutFailure("nothing but comments came on the new connection for %s", timeout))
}

func timeoutFailure(format string, timeout time.Duration) *failure {
	return &failure{kind: ErrorKindTimeout, err: fmt.Errorf(format, timeout)}
}

// silence is for how long nothing has come from the service. Time in the relay's handler does not count.
func (r *runner) silence(now time.Time) time.Duration {
	silence := now.Sub(r.dialledAt)
	if r.conn.reader != nil {
		silence = r.conn.reader.Silence(now)
	}
	return max(0, silence-r.calledFor)
}

// putOverdue is for how long, on a connection that has yet to bring its put, nothing has come that could be a part of
// one; 0 if none is due.
func (r *runner) putOverdue(now time.Time) time.Duration {
	reader := r.conn.reader
	if r.putApplied || reader == nil {
		return 0
	}
	return now.Sub(later(r.putDueFrom, reader.LastField()))
}

// called says that calls of the relay's handler have been made since start. Their time counts neither as silence nor as
// a put that is overdue.
func (r *runner) called(start time.Time) {
	took := time.Since(start)
	r.calledFor += took
	r.putDueFrom = r.putDueFrom.Add(took)
}
