//go:build linux && servers

package hubs

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	glance = 5 * time.Millisecond // between two looks of a witness at a hub, for each relay that it shows
	// expiry is after which time the news of a hub no longer count, as serve has it; and much for a slow machine.
	expiry = 15*time.Second + 45*time.Second
)

// witness looks at every hub all the time, from the moment at which every hub knows every relay. At no look may a relay be
// shown twice, or under no name; and none that has a link may be missing for longer than the expiry. (A relay that has lost
// several links in a minute may take half a minute to make another.)
type witness struct {
	t       *testing.T
	fleet   *fleet
	looks   atomic.Int64
	partial atomic.Bool // Redis is away on purpose: relays of other hubs may be missing
	done    chan struct{}
	looking sync.WaitGroup
}

func (f *fleet) watch(t *testing.T) *witness {
	t.Helper()
	w := &witness{t: t, fleet: f, done: make(chan struct{})}
	for _, h := range f.hubs {
		w.looking.Go(func() { w.watch(h) })
	}
	t.Cleanup(w.end)
	return w
}

func (w *witness) end() {
	select {
	case <-w.done:
		return
	default:
	}
	close(w.done)
	w.looking.Wait()
	w.t.Logf("there were %d looks at the hubs", w.looks.Load())
}

func (w *witness) watch(h *hub) {
	ticker := time.NewTicker(glance * time.Duration(len(w.fleet.relays)))
	defer ticker.Stop()
	lastSeen := map[string]time.Time{}
	for {
		select {
		case <-ticker.C:
		case <-w.done:
			return
		}
		began := time.Now()
		l, err := h.list()
		if err != nil {
			clear(lastSeen) // the hub is down
			continue
		}
		w.looks.Add(1)
		if problem := w.check(l, lastSeen, began); problem != "" {
			w.t.Errorf("%s at %s: %s", h.name, began.Format(time.StampMilli), problem)
		}
	}
}

func (w *witness) check(l listing, lastSeen map[string]time.Time, now time.Time) (problem string) {
	shown := map[string]bool{}
	for _, r := range l.Relays {
		if shown[r.Name] {
			problem = r.Name + " is shown twice"
		}
		shown[r.Name] = true
		if r.Connected {
			lastSeen[r.Name] = now
		}
	}
	if len(l.Relays) > len(w.fleet.relays) {
		problem = fmt.Sprintf("%d relays are shown: %+v", len(l.Relays), l.Relays)
	}
	for _, r := range w.fleet.relays {
		at, seen := lastSeen[r.name]
		_, linked := r.at(aLink)
		switch {
		case !seen || !linked || w.partial.Load():
			lastSeen[r.name] = now
		case now.Sub(at) > expiry:
			problem = fmt.Sprintf("%s has been missing for %s", r.name, now.Sub(at))
			lastSeen[r.name] = now // it is said once
		}
		if !shown[r.name] && l.Complete {
			problem = r.name + " is not shown, although the hub says that nothing is missing"
		}
	}
	return problem
}
