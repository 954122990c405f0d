package hubmodel

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

func TestEachQuietRelayHasItsView(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		var problem string
		synctest.Test(t, func(*testing.T) { problem = play(h) })
		if problem != "" {
			rt.Fatalf("%s\nThe history is\n%s", problem, h)
		}
	})
}

// world is all that takes part.
type world struct {
	regress bool
	source  configuration // as the managers of the hubs that follow it have it
	version int           // the highest so far
	hubs    [hubs]*node
	upper   *relay // the follower of the first hub, which feeds the last one
	relays  [relays]*relay
}

func play(h history) (problem string) {
	w := &world{regress: h.regress, source: configuration{}}
	for i := range w.hubs {
		w.hubs[i] = newNode(i, hub.WithRecentPast(h.recent, 1<<20))
	}
	w.upper = newRelay("rel-all")
	w.feedLast()
	names := slices.Sorted(maps.Keys(keys))
	for i := range w.relays {
		w.relays[i] = newRelay(names[i%len(names)])
	}
	w.toSources(true, nil)
	defer w.close()
	for i, s := range h.steps {
		w.step(s)
		synctest.Wait()
		if problem := w.check(); problem != "" {
			return fmt.Sprintf("after step %d: %s", i+1, problem)
		}
	}
	for _, r := range w.relays {
		r.resume()
	}
	w.step(lower{})
	time.Sleep(2 * time.Minute) // those that were stalled for too long are dropped
	for i, r := range w.relays {
		if !r.connected() {
			r.connect(w.hubs[i%hubs], r.id, false)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	for i, r := range w.relays {
		if !r.connected() {
			return fmt.Sprintf("in the end, relay %d was not let in", i)
		}
	}
	return w.check()
}

func (w *world) close() {
	w.upper.disconnect()
	for _, r := range w.relays {
		r.disconnect()
	}
	for _, n := range w.hubs {
		n.close()
	}
}

// allowed is where a relay goes that would go to a hub.
func (w *world) allowed(relay, hub int) int {
	if w.regress {
		return relay % hubs
	}
	return hub
}

func (w *world) step(s step) {
	switch s := s.(type) {
	case burst:
		for _, s := range s.steps {
			w.step(s)
		}
	case sourcePut:
		all := configuration{}
		for _, id := range slices.Sorted(maps.Keys(s.environments)) {
			k := s.environments[id]
			k.version = w.next(k.version)
			if old, ok := w.source[id]; ok && !w.regress && !old.deleted && k.version%2 == 0 {
				k = old // unchanged
			}
			all[id] = k
		}
		w.toSources(true, w.source.put(all))
	case sourcePatch:
		s.known.version = w.next(s.known.version)
		w.toSources(false, w.source.patch(s.id, s.known))
	case sourceDelete:
		w.toSources(false, w.source.delete(s.id, w.next(s.version)))
	case connect:
		r := w.relays[s.relay]
		r.disconnect()
		if at := len(r.past) - 1 - s.back; s.back > 0 && at >= 0 {
			r.conf, r.id = maps.Clone(r.past[at].conf), r.past[at].id
		}
		r.connect(w.hubs[w.allowed(s.relay, s.hub)], r.id, s.plain)
	case disconnect:
		w.relays[s.relay].disconnect()
	case stall:
		w.relays[s.relay].stall()
	case resume:
		w.relays[s.relay].resume()
	case lower:
		w.upper.disconnect()
		w.upper.connect(w.hubs[0], w.upper.id, false)
	case restart:
		w.restart(s.hub)
	case pause:
		time.Sleep(s.d)
	default:
		panic(fmt.Sprintf("%T does not happen", s))
	}
}

// next is the version of a change that is drawn with a version.
func (w *world) next(version int) int {
	if w.regress {
		return version
	}
	w.version++
	return w.version
}

// toSources passes changes on to the hubs that follow the source, as their managers do.
func (w *world) toSources(put bool, changes []autoconfig.Change) {
	for _, n := range w.hubs[:hubs-1] {
		if put || len(changes) > 0 {
			n.Changes(put, changes)
		}
		n.confirm()
	}
}

func (w *world) feedLast() {
	last := w.hubs[hubs-1]
	w.upper.changes = func(put bool, changes []autoconfig.Change) {
		if put || len(changes) > 0 {
			last.Changes(put, changes)
		}
		last.confirm()
	}
}

func (w *world) restart(at int) {
	if at < hubs-1 {
		w.hubs[at].restart(w.source)
		w.hubs[at].confirm()
		return
	}
	w.upper.disconnect()
	if w.upper.id == "" {
		w.hubs[at].restart(nil)
	} else {
		w.hubs[at].restart(w.upper.conf)
	}
	w.feedLast()
}

// check compares each relay that is connected, and reads, with the view of its key.
func (w *world) check() string {
	for i, n := range w.hubs[:hubs-1] {
		if got := n.view("rel-all").Environments; !maps.Equal(got, w.source.live("")) {
			return fmt.Sprintf("hub %d has %v, its source %v", i, got, w.source)
		}
	}
	if w.upper.connected() && !maps.Equal(w.upper.conf.live(""), w.source.live("")) {
		return fmt.Sprintf("the last hub follows the first, and has %v; the source has %v", w.upper.conf, w.source)
	}
	for i, r := range w.relays {
		for at, n := range w.hubs {
			view := n.view(r.key)
			have := r.conf.live("")
			if same := maps.Equal(have, view.Environments); same != (r.conf.digest() == view.Digest) {
				return fmt.Sprintf("relay %d and hub %d have %v and %v, and digests %s and %s", i, at, have, view.Environments,
					r.conf.digest(), view.Digest)
			}
		}
		if r.at == hubs-1 && !w.upper.connected() {
			continue // a hub that is cut off may be behind its relays
		}
		if n := w.hubs[r.at]; r.connected() && !r.stalled() {
			if view := n.view(r.key); !maps.Equal(r.conf.live(""), view.Environments) || r.id != view.Digest {
				return fmt.Sprintf("relay %d (%s) at hub %d has %v with id %s; its view is %v with digest %s", i, r.key, r.at,
					r.conf, r.id, view.Environments, view.Digest)
			}
		}
	}
	return ""
}
