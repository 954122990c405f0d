package hub

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// owner says who may write to a relay. It is guarded by Hub.mu.
type owner int

const (
	ownGoroutine owner = iota // that of its request
	nobody                    // the relay has all, and the next events may come from the fan-out
	theFanOut
)

// delivery is events that several relays of a view lack, as the bytes of one chunk.
type delivery struct {
	entries  []entry
	encoding encoding
	once     sync.Once
	chunk    []byte
	size     int      // of the events in it
	sum      checksum // of their text
}

// loan is a relay for the time that the fan-out writes a delivery to it.
type loan struct {
	relay    *relay
	delivery *delivery
	whole    bool // nothing is left to write
}

// wakeFanOut lets the fan-out look at a view that has new events. It is called with Hub.mu.
func (h *Hub) wakeFanOut(v *view) {
	if len(v.direct) == 0 {
		return
	}
	h.news = append(h.news, v)
	if !h.fanningOut {
		h.fanningOut = true
		h.writers.Go(h.fanOut)
	}
}

// fanOut writes events to all relays that wait for them, one after the other. It never waits for one of them: if a relay
// does not take a delivery at once, its own goroutine goes on with that.
func (h *Hub) fanOut() {
	for {
		time.Sleep(time.Until(h.nextRound))
		h.mu.Lock()
		loans := h.borrow(h.loans[:0])
		h.fanningOut = len(loans) > 0
		h.mu.Unlock()
		if len(loans) == 0 {
			return
		}
		begin := time.Now()
		h.deliver(loans)
		took := time.Since(begin)
		h.mu.Lock()
		for i := range loans {
			loans[i].giveBack()
		}
		clear(loans) // for the garbage collector
		h.loans = loans
		h.nextRound = begin.Add(untilNextRound(took))
		h.mu.Unlock()
	}
}

// Rounds that take long are not begun more often than this. Events that come until then go out in one write to each relay:
// that leaves time to the relays' ends of the connections, where each write costs as much again.
const (
	shortRound = time.Millisecond
	roundEvery = 10 * time.Millisecond
)

// untilNextRound is how long after the begin of a round the next one may begin. After a round that took longer than
// roundEvery it begins at once: events that have come meanwhile have waited enough, and are written together anyway.
func untilNextRound(took time.Duration) time.Duration {
	if took > shortRound {
		return roundEvery
	}
	return 0
}

// borrow borrows the relays that wait, and lack events. It is called with Hub.mu.
func (h *Hub) borrow(loans []loan) []loan {
	type lack struct {
		at       uint64
		encoding encoding
	}
	for _, v := range h.news {
		deliveries := map[lack]*delivery{}
		for r := range v.direct {
			if r.owner != nobody || r.at == v.last {
				continue
			}
			key := lack{r.at, r.encoding}
			d, ok := deliveries[key]
			if !ok {
				d = v.delivery(r.at, r.encoding)
				deliveries[key] = d
			}
			if d == nil { // a put, or more events than one write may have
				r.owner = ownGoroutine
				r.wakeUp()
				continue
			}
			r.owner = theFanOut
			loans = append(loans, loan{relay: r, delivery: d})
		}
	}
	h.news = h.news[:0]
	return loans
}

// delivery returns the events after a place, or nil if they are too many for one write.
func (v *view) delivery(at uint64, encoding encoding) *delivery {
	if !v.leadsOn(at) {
		return nil
	}
	entries := v.after(at)
	size := 0
	for _, e := range entries {
		size += len(e.event.text) + len(idLine)
	}
	if len(entries) > maxEvents || size > maxWrite {
		return nil
	}
	return &delivery{entries: append([]entry(nil), entries...), encoding: encoding, size: size}
}

// encode makes the bytes, once.
func (d *delivery) encode() {
	d.once.Do(func() {
		chunk := newChunk(d.size)
		for _, e := range d.entries {
			data, sum := e.event.bytes(d.encoding)
			chunk = append(chunk, data...)
			d.sum.append(sum)
			chunk, sum = appendID(chunk, e.digest, d.encoding)
			d.sum.append(sum)
		}
		d.size = len(chunk) - chunkHead
		d.sum.shift = shiftOver(int(d.sum.length))
		d.chunk = endChunk(chunk)
	})
}

// share is how many loans a goroutine of the fan-out takes at once.
const share = 32

// deliver writes the deliveries, on half of the processors. On a machine with two, a second goroutine made a patch take
// longer: the relays' packets and the rest of the machine need the other one.
func (h *Hub) deliver(loans []loan) {
	var taken atomic.Int64
	work := func() {
		for {
			end := int(taken.Add(share))
			if end-share >= len(loans) {
				return
			}
			part := loans[end-share : min(end, len(loans))]
			for i := range part {
				part[i].deliver()
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0)/2, (len(loans)+share-1)/share) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

func (l *loan) deliver() {
	l.delivery.encode()
	l.relay.wrote(l.delivery.entries[len(l.delivery.entries)-1].digest)
	if l.whole = l.relay.out.writeNow(l.delivery); l.whole {
		l.relay.delivered(l.delivery.entries)
	}
}

// giveBack returns the relay to its goroutine, or lets it wait. It is called with Hub.mu.
func (l *loan) giveBack() {
	r, recalled := l.relay, l.relay.recalled
	r.recalled = false
	if !l.whole {
		r.owner, r.begun = ownGoroutine, l.delivery.entries
		r.wakeUp()
		return
	}
	r.owner = nobody
	r.passed(l.delivery.entries)
	if recalled {
		r.wakeUp()
	}
}

// wakeUp wakes the goroutine of a relay that is not the owner.
func (r *relay) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// delivered counts events that were written to the relay.
func (r *relay) delivered(entries []entry) {
	r.hub.counters.events.Add(uint64(len(entries)))
	if observe := r.hub.settings.delivered; observe != nil {
		now := time.Now()
		for _, e := range entries {
			observe(now.Sub(e.at))
		}
	}
}

// passed notes that the relay has events. It is called with Hub.mu.
func (r *relay) passed(entries []entry) {
	r.at += uint64(len(entries))
	r.digest = entries[len(entries)-1].digest
}
