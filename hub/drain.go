package hub

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// defaultDrainTime is how long Drain takes without a deadline.
const defaultDrainTime = 30 * time.Second

// farewellTime is how long a relay may stay that was told to reconnect.
const farewellTime = 2 * time.Second

// lastFlush is how long streams may take, in the end, to end in order.
const lastFlush = time.Second

// Drain ends the hub in order. New streams get status 503. Relays are told to reconnect, spread over the time until the
// deadline of ctx (30 s if it has none), and each stream ends 2 s after that. When ctx is done, all streams end, and
// Drain returns its error; otherwise nil, when the last relay is gone.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.startDraining()
	relays := make([]*relay, 0, len(h.relays))
	for r := range h.relays {
		relays = append(relays, r)
	}
	h.mu.Unlock()
	defer h.Close()
	rand.Shuffle(len(relays), func(i, j int) { relays[i], relays[j] = relays[j], relays[i] })
	total := defaultDrainTime
	if deadline, ok := ctx.Deadline(); ok {
		total = time.Until(deadline)
	}
	pause := max(0, total-farewellTime-lastFlush) / time.Duration(max(1, len(relays)))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, r := range relays {
		select {
		case <-timer.C:
			r.stop(endDrained)
			timer.Reset(pause)
		case <-h.drained:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-h.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends all streams, and returns when the last one has ended. Relays come back to get status 503. It may be called
// more than once.
func (h *Hub) Close() {
	defer h.log.close(h.settings.logger)
	h.mu.Lock()
	h.startDraining()
	if !h.closed {
		h.closed = true
		close(h.drainOver)
	}
	if h.expiry != nil {
		h.expiry.Stop()
		h.expiry = nil
	}
	h.stopAll(endDrained)
	h.mu.Unlock()
	defer h.writers.Wait() // soon, without relays
	select {
	case <-h.drained:
		return
	case <-time.After(lastFlush):
	}
	h.mu.Lock()
	h.stopAll(endClosed)
	h.mu.Unlock()
	<-h.drained
}

func (h *Hub) stopAll(reason endReason) {
	for r := range h.relays {
		r.stop(reason)
	}
}

func (h *Hub) startDraining() {
	if h.isDraining {
		return
	}
	h.isDraining = true
	if len(h.relays) == 0 {
		h.empty()
	}
}

// empty is called when the hub drains, and no relay is left.
func (h *Hub) empty() { close(h.drained) }

func (h *Hub) draining() bool { return h.isDraining }

// A write to a relay whose key is revoked may still take pendingLooks times pendingPause. Without any time, a stream over HTTP/2
// that is just being written to would end in a reset.
const (
	pendingLooks = 20
	pendingPause = 5 * time.Millisecond
)

// end waits until no write to relays is pending that were stopped. It cuts writes that take long.
func (h *Hub) end(relays []*relay) {
	for range pendingLooks {
		if !slices.ContainsFunc(relays, func(r *relay) bool { return r.out.writes() }) {
			return
		}
		time.Sleep(pendingPause)
	}
	for _, r := range relays {
		r.out.cut()
		r.out.awaitWrite()
	}
}
