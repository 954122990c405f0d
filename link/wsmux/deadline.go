package wsmux

import (
	"os"
	"sync"
	"time"
)

// deadline is the read or the write deadline of a conn. It counts the calls that run under it, because a deadline that passes
// while none runs does no harm.
type deadline struct {
	expire func() // called once the deadline passes within a call

	mu      sync.Mutex
	at      time.Time   // zero: none
	timer   *time.Timer // fires at that time
	passed  bool        // the timer has fired
	running int         // calls
	expired bool        // it passed within a call
}

// set replaces the deadline, for the calls that run too. It is too late once the old one has passed within a call.
func (d *deadline) set(at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expired {
		return ErrBroken
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at, d.timer, d.passed = at, nil, false
	if at.IsZero() {
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(at), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer != timer {
			return // replaced
		}
		d.passed = true
		if d.running > 0 && !d.expired {
			d.expired = true
			d.expire()
		}
	})
	d.timer = timer
	return nil
}

// begin counts a call, unless the deadline has passed already.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed || !d.at.IsZero() && !time.Now().Before(d.at) {
		return os.ErrDeadlineExceeded
	}
	d.running++
	return nil
}

func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running--
}

// expiredWithinCall says whether the deadline has passed within a call.
func (d *deadline) expiredWithinCall() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}
