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

// relay is one connection of a relay. The goroutine of its request writes to it, and, while that waits, the fan-out.
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
	owner       owner
	recalled    bool    // its goroutine waits for the fan-out to give it back
	begun       []entry // events of which the fan-out has written a part
	taking      *body   // the put that it takes; nil if it takes none
	takingSince time.Time
	takingFrom  uint64 // bytes written before

	keepaliveDue bool // used by the relay's goroutine only

	// The last event that was written; for the owner.
	lastEvent   time.Time
	lastEventID digest.Digest

	wake chan struct{} // tells the goroutine to look again; while it is not the owner

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
		wake:            make(chan struct{}, 1),
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
func (r *relay) serve(request *http.Request) {
	r.takeOver(request)
	err := r.stream()
	if errors.Is(err, errEnded) && r.out.reopen() { // its key was revoked
		err = r.end() // in order, so that the relay sees no fault of the line, and learns the reason when it comes back
	}
	r.leave(err)
	if err != nil && r.ctx.Err() == nil && r.out.direct == nil {
		panic(http.ErrAbortHandler) // nothing that is still in a buffer may go out
	}
}

// takeOver takes the connection over from net/http, if that is possible.
func (r *relay) takeOver(request *http.Request) {
	r.out.takeOver(request)
	if r.out.direct == nil {
		return
	}
	var cancel context.CancelFunc
	r.ctx, cancel = context.WithCancel(r.ctx)
	r.out.direct.watch(cancel)
	if r.out.canWriteNow() {
		r.hub.mu.Lock()
		defer r.hub.mu.Unlock()
		r.view.direct[r] = struct{}{}
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
		case next.lent:
			<-next.wait
		case next.over:
			return r.farewell()
		case next.body != nil:
			err = r.writePut(next)
		case len(next.entries) > 0:
			err = r.writeEvents(next.entries, next.begun)
		case next.keepalive:
			r.hub.counters.keepalives.Add(1)
			r.piece(keepaliveComment)
			err = r.out.flush()
		case next.confirm:
			r.event(confirmedEvent, r.point.digest)
			err = r.out.flush()
		default:
			r.wait(next, keepalive)
		}
		if err != nil {
			return err
		}
		done = next
	}
}

// farewell ends a stream: at once, or with a word to the relay.
func (r *relay) farewell() error {
	switch {
	case !isClosed(r.stopped):
		return r.ctx.Err()
	case endReason(r.reason.Load()) != endDrained:
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
	return r.end()
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
	r.count(err)
	h := r.hub
	h.writers.Add(1)
	defer h.writers.Done()
	defer r.out.close(err == nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.relays, r)
	delete(r.view.direct, r)
	if h.draining() && len(h.relays) == 0 {
		h.empty()
	}
}

// count counts how the stream ended, before the relay can see that.
func (r *relay) count(err error) {
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
	case reason == endNone && r.mayRefuse() && !r.lastEvent.IsZero() && now.Sub(r.lastEvent) < earlyWithin:
		h.ended.add(earlyEnd{r.grant.hash, r.host(), r.lastEventID}, now)
	}
	r.release()
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
