package hub

import "time"

// job is the next step of a relay: something to write, or a wait.
type job struct {
	entries   []entry // events to write
	begun     bool    // the fan-out has written a part of them
	body      *body   // a put to write
	encode    bool    // after encoding it
	confirm   bool    // tell the relay that its configuration is confirmed
	keepalive bool    // write a comment

	over      bool            // end the stream
	wait      <-chan struct{} // otherwise: closed, or sent to, when there may be something to do
	lent      bool            // it waits for the fan-out to give the relay back
	place     bool            // it waits for a place for a put
	confirmed <-chan struct{} // closed when the source is confirmed; nil if the relay need not be told
}

// maxEvents is how many events are written at once.
const maxEvents = 64

// next returns the next job. It is called with Hub.mu.
func (r *relay) next() job {
	v := r.view
	due := r.keepaliveDue
	r.keepaliveDue = false
	if r.owner == theFanOut { // and about to get events, which show that the stream lives
		r.recalled = true
		return job{lent: true, wait: r.wake}
	}
	r.owner = ownGoroutine
	switch {
	case isClosed(r.stopped), r.ctx.Err() != nil:
		return job{over: true}
	case r.begun != nil:
		return job{entries: r.begun, begun: true}
	case due:
		return job{keepalive: true}
	case r.led && v.leadsOn(r.at):
		switch {
		case r.at == v.last && r.unconfirmed == "" && r.out.canWriteNow():
			r.owner = nobody
			return job{wait: r.wake}
		case r.at == v.last && r.unconfirmed == "":
			return job{wait: v.changed}
		case r.at == v.last && r.hub.source.Confirmed():
			return job{confirm: true}
		case r.at == v.last:
			return job{wait: v.changed, confirmed: r.hub.confirmed}
		}
		entries := v.after(r.at)
		return job{entries: append([]entry(nil), entries[:min(len(entries), maxEvents)]...)}
	}
	b, encode := v.take(r.encoding, r.atLeast, &r.hub.state)
	if b == nil {
		r.hub.dropSlow(v, r.encoding, time.Now())
		return job{wait: v.bodies[r.encoding].waitForPlace(), place: true}
	}
	r.taking, r.takingSince, r.takingFrom = b, time.Now(), r.out.written.Load()
	return job{body: b, encode: encode}
}

// record notes that a job was done. It is called with Hub.mu.
func (r *relay) record(done job) {
	switch {
	case done.body != nil:
		r.at, r.point, r.led = done.body.at, done.body.point, true
		r.release()
	case len(done.entries) > 0:
		r.passed(done.entries)
		r.begun = nil
	case done.confirm:
		r.unconfirmed = ""
	}
}

// release ends the taking of a put. It is called with Hub.mu.
func (r *relay) release() {
	if r.taking != nil {
		r.taking.release()
		r.taking = nil
	}
}

// slowCheck is how often relays that wait for a place for a put look whether others have become too slow.
const slowCheck = time.Second

// wait waits until there may be something to do.
func (r *relay) wait(next job, keepalive *time.Timer) {
	var check <-chan time.Time
	if next.place {
		check = time.After(slowCheck)
	}
	select {
	case <-next.wait:
	case <-next.confirmed:
	case <-check:
	case <-r.stopped:
	case <-keepalive.C:
		keepalive.Reset(r.hub.settings.keepalive)
		r.keepaliveDue = true
	case <-r.ctx.Done():
	}
}
