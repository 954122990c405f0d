package autoconfig

import (
	"time"

	"github.com/relayconf/relayconf/internal/state"
)

// longestExpiryWait bounds a wait by the wall clock, which may be set while the timer, which goes by the monotonic
// clock, runs.
const longestExpiryWait = time.Minute

// setExpiryTimer sets the timer for the key that expires next, unless it is set for that time already. It reads the state
// without the lock: only this goroutine writes it.
func (r *runner) setExpiryTimer(now time.Time) {
	at, _ := r.m.state.NextExpiry()
	if at.Equal(r.expiryAt) {
		return
	}
	r.expiryAt = at
	if at.IsZero() {
		r.expiry.Stop()
		return
	}
	r.expiry.Reset(max(0, min(at.Sub(now), longestExpiryWait)))
}

func (r *runner) expireKeys() {
	if r.line != nil {
		defer r.line.Pause()()
	}
	now := time.Now()
	r.expiryAt = time.Time{} // the timer has gone off
	r.m.mu.Lock()
	changes := r.m.state.Expire(now)
	r.m.mu.Unlock()
	r.m.logOutcome(state.Outcome{Changes: changes})
	r.m.dispatcher.changes(r.m.ctx, changes, now)
	r.setExpiryTimer(time.Now())
}
