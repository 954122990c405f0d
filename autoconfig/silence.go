package autoconfig

import (
	"fmt"
	"time"
)

// checkSilence drops a connection that has been silent for the read timeout, or that sends nothing but comments where
// a put is due. Otherwise it sets the watchdog to when that could next be so.
func (r *runner) checkSilence() error {
	now := time.Now()
	timeout := r.m.readTimeout
	silence, untilPut := r.silence(now)
	switch {
	case r.openedAt.IsZero() && silence >= timeout:
		return r.lost(timeoutFailure("no answer from the service for %s", timeout))
	case silence >= timeout:
		return r.lost(timeoutFailure("nothing came on the connection for %s", timeout))
	case untilPut >= timeout:
		return r.lost(timeoutFailure("nothing but comments came on the new connection for %s", timeout))
	}
	r.watchdog.Reset(timeout - max(silence, untilPut))
	return nil
}

// silence returns how long nothing has come, and, before the put of this connection, how long nothing has come that
// could be a part of it; 0 afterwards. Time in the relay's handler counts for neither.
func (r *runner) silence(now time.Time) (silence, untilPut time.Duration) {
	idle := now.Sub(r.busyUntil)
	if r.openedAt.IsZero() {
		return min(idle, now.Sub(r.dialledAt)), 0
	}
	reader := r.conn.reader
	if !r.putApplied {
		last := later(later(r.openedAt, r.eventAt), reader.LastField())
		untilPut = min(idle, now.Sub(last))
	}
	return min(idle, reader.Silence(now)), untilPut
}

func timeoutFailure(format string, timeout time.Duration) *failure {
	return &failure{kind: ErrorKindTimeout, err: fmt.Errorf(format, timeout)}
}
