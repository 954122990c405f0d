package hub

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/stream"
)

// relay is one connection of a relay. One goroutine, that of its request, writes to it.
type relay struct {
	hub             *Hub
	grant           *Grant
	view            *view
	id              uint64
	address         string
	userAgent       string
	instance        string
	since           time.Time
	protocolVersion int
	encoding        encoding
	ctx             context.Context
	out             output

	// How far the relay is; guarded by Hub.mu. Without led, only a put leads it on.
	at          uint64
	led         bool
	point       // its state; the zero value if that is unknown
	resumed     bool
	unconfirmed string // when the source last confirmed the first state; empty once the relay has all, confirmed
	atLeast     uint64 // a put from an earlier place may be older than the relay's state
	taking      *body  // the put that it takes; nil if it takes none
	takingSince time.Time
	takingFrom  uint64 // bytes written before

	// The last event that was written, by the relay's goroutine.
	lastEvent   time.Time
	lastEventID digest.Digest

	stopOnce sync.Once
	stopped  chan struct{} // closed when the hub ends the stream
	reason   atomic.Int32  // an endReason
}

// endReason says why the hub ends a stream.
type endReason int32

const (
	endNone    endReason = iota
	endDrained           // the relay is told to go elsewhere
	endRevoked           // at once, in order if no write takes long
	endSlow              // at once
	endClosed            // at once
)

func newRelay(h *Hub, grant *Grant, w http.ResponseWriter, request *http.Request) *relay {
	r := &relay{
		hub:             h,
		grant:           grant,
		address:         request.RemoteAddr,
		userAgent:       request.UserAgent(),
		instance:        bounded(request.Header.Get(stream.InstanceHeader)),
		since:           time.Now(),
		protocolVersion: protocolVersion(request),
		ctx:             request.Context(),
		stopped:         make(chan struct{}),
	}
	if acceptsGzip(request.Header) {
		r.encoding = gzipped
	}
	r.out = newOutput(w, request, h.settings.writeTimeout, &h.counters.bytes)
	return r
}

// serve writes the stream until it ends. A stream that the hub ends at once ends in a panic with
// http.ErrAbortHandler, as net/http has it.
func (r *relay) serve() {
	err := r.stream()
	if errors.Is(err, errEnded) && endReason(r.reason.Load()) == endRevoked && r.out.reopen() {
		r.end() // in order, so that the relay sees no fault of the line, and learns the reason when it comes back
		err = r.out.flush()
	}
	r.leave(err)
	if err != nil && r.ctx.Err() == nil {
		panic(http.ErrAbortHandler) // nothing that is still in a buffer may go out
	}
}

func (r *relay) stream() error {
	r.hub.counters.streams.Add(1)
	if err := r.begin(); err != nil {
		return err
	}
	keepalive := time.NewTimer(rand.N(r.hub.settings.keepalive))
	defer keepalive.Stop()
	var done job
	for {
		r.hub.mu.Lock()
		r.record(done)
		next := r.next()
		r.hub.mu.Unlock()
		var err error
		switch {
		case isClosed(r.stopped):
			return r.farewell()
		case next.body != nil:
			err = r.writePut(next)
		case len(next.entries) > 0:
			err = r.writeEvents(next.entries)
		case next.confirm:
			r.event(confirmedEvent, r.point.digest)
			err = r.out.flush()
		default:
			err = r.wait(next, keepalive)
		}
		if err != nil {
			return err
		}
		done = next
	}
}

// job is the next step of a relay: events or a put to write, a confirmation, or a wait.
type job struct {
	entries []entry // events to write
	body    *body   // a put to write
	encode  bool    // after encoding it
	confirm bool    // tell the relay that its configuration is confirmed

	wait      <-chan struct{} // otherwise: closed when there may be something to do
	place     bool            // it waits for a place for a put
	confirmed <-chan struct{} // closed when the source is confirmed; nil if the relay need not be told
}

// maxEvents is how many events are written at once.
const maxEvents = 64

// next returns the next job. It is called with Hub.mu.
func (r *relay) next() job {
	v := r.view
	if r.led && v.leadsOn(r.at) {
		switch {
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
		r.at += uint64(len(done.entries))
		r.point = done.entries[len(done.entries)-1].point
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

// wait waits until there may be something to do. It writes the comments that show that the stream lives.
func (r *relay) wait(next job, keepalive *time.Timer) error {
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
		r.hub.counters.keepalives.Add(1)
		r.piece(keepaliveComment)
		return r.out.flush()
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
	return nil
}

// farewell ends a stream that the hub ends: at once, or with a word to the relay.
func (r *relay) farewell() error {
	if endReason(r.reason.Load()) != endDrained {
		return errEnded
	}
	r.piece(reconnectEvent)
	if err := r.out.flush(); err != nil {
		return err
	}
	timer := time.NewTimer(farewellTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.hub.drainOver:
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
	r.end()
	return r.out.flush()
}

// stop makes the stream end. A reason that ends it at once also ends a write that is pending.
func (r *relay) stop(reason endReason) {
	for {
		before := r.reason.Load()
		if before >= int32(reason) {
			return
		}
		if r.reason.CompareAndSwap(before, int32(reason)) {
			break
		}
	}
	switch reason {
	case endDrained:
	case endRevoked:
		r.out.refuse() // Hub.end cuts a write that takes long
	default:
		r.out.abort()
	}
	r.stopOnce.Do(func() { close(r.stopped) })
}

// leave takes the relay out of the hub. The error is nil after an orderly end.
func (r *relay) leave(err error) {
	r.out.close()
	now := time.Now()
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch reason := endReason(r.reason.Load()); {
	case reason == endSlow || reason == endNone && isTimeout(err):
		h.counters.droppedSlow.Add(1)
		h.settings.logger.Warn("a relay was too slow, and its stream was dropped", "relay", r.id, "key", r.grant.name, "address", r.address)
	case reason == endRevoked:
		h.counters.revoked.Add(1)
		h.log.add(h.settings.logger, eventKind{slog.LevelWarn, "A relay's stream was ended", r.grant.name, "its key was revoked or changed"}, r.address)
	case reason == endNone && !r.lastEvent.IsZero() && now.Sub(r.lastEvent) < earlyWithin:
		h.ended.add(earlyEnd{r.grant.hash, r.host(), r.lastEventID}, now)
	}
	r.release()
	delete(h.relays, r)
	if h.draining() && len(h.relays) == 0 {
		h.empty()
	}
}

// describe is called with Hub.mu.
func (r *relay) describe() Relay {
	d := Relay{
		ID:              r.id,
		KeyName:         r.grant.name,
		Grant:           r.grant,
		Address:         r.address,
		UserAgent:       r.userAgent,
		Instance:        r.instance,
		Since:           r.since,
		ProtocolVersion: r.protocolVersion,
		Compressed:      r.encoding == gzipped,
		Resumed:         r.resumed,
		Bytes:           r.out.written.Load(),
	}
	if r.led {
		d.SentDigest = r.digest.String()
		d.Current = r.at == r.view.last
	}
	return d
}

// bounded leaves out a header that is longer than any instance's id.
func bounded(instance string) string {
	const most = 64
	if len(instance) > most {
		return ""
	}
	return instance
}
