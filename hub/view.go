package hub

import (
	"slices"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/internal/digest"
)

// viewID identifies a view: the selection of a key, and the protocol version, of which 2 has filters and 1 has none.
type viewID struct {
	selection string
	filters   bool
}

// view is all that relays of the same selection and protocol version are to have, and how those that had it lately
// get from there to now. It is guarded by Hub.mu.
type view struct {
	selection selection
	filters   bool

	digest     digest.Digest
	since      time.Time // when it came to this
	generation uint64    // of the last gap: only a put takes versions away from relays; 0 if there was none
	size       int       // bytes of the texts in it

	// The recent past: entries first+1 to last lead from state to state. A relay that is at last has all.
	first, last uint64
	gap         uint64 // the place that the last gap leads to
	base        point  // the state at first
	log         []entry
	logBytes    int

	// textGeneration is that of the last change of a text without its version. Puts from before are not for newcomers.
	textGeneration uint64

	changed chan struct{} // closed, and replaced, when entries are added
	bodies  [encodings]bodies
	pending pending

	direct map[*relay]struct{} // those that the fan-out writes to
}

// point is a state that a view was in, and the generation of the last put that relays had on their way to it.
type point struct {
	digest     digest.Digest
	generation uint64
}

// entry is one event of a view, or a gap that only a put leads over.
type entry struct {
	point        // the state that it leads to
	event *piece // nil for a gap
	at    time.Time
}

// pending collects the entries of one call of Changes.
type pending struct {
	entries []entry
	gap     bool // one of the changes needs a put
	any     bool
}

// shows tells whether a live item is in the view.
func (v *view) shows(it *item) bool { return it.live && v.showsNames(it.kind, it.names) }

func (v *view) showsNames(kind kind, names names) bool {
	return (kind == environment || v.filters) && v.selection.shows(kind, names)
}

// view returns a view, and makes it if need be.
func (h *Hub) view(s selection, protocolVersion int) *view {
	id := viewID{selection: s.id, filters: protocolVersion >= 2}
	if v := h.views[id]; v != nil {
		return v
	}
	v := &view{
		selection: s,
		filters:   id.filters,
		since:     time.Now(),
		changed:   make(chan struct{}),
		direct:    map[*relay]struct{}{},
	}
	for _, it := range h.state.items {
		if v.shows(it) {
			v.digest.Add(it.kind, it.id, it.version)
			v.size += len(it.text)
		}
	}
	v.base.digest = v.digest
	h.views[id] = v
	clear(h.viewers)
	return v
}

// maxPrepared bounds the views that are made before a relay needs them: each takes a look at every item.
const maxPrepared = 64

// prepareViews makes the views of the keys while the configuration is a stored one. So relays that hold it can be resumed when
// the service has brought what is newer, even if none of them has asked before. It is called with Hub.mu.
func (h *Hub) prepareViews() {
	if !h.ready || h.source.Kind != SourceStore {
		return
	}
	for _, g := range h.grants {
		for protocolVersion := 1; protocolVersion <= 2 && len(h.views) < maxPrepared; protocolVersion++ {
			h.view(g.selection, protocolVersion)
		}
	}
}

// viewersOf returns the views that show items of some names. The slice is the same for equal names, and must not be
// changed.
func (h *Hub) viewersOf(kind kind, n names) []*view {
	key := viewersKey{kind, n}
	if viewers, ok := h.viewers[key]; ok {
		return viewers
	}
	if len(h.viewers) > 2*len(h.state.items)+1000 { // names that come and go
		clear(h.viewers)
	}
	var viewers []*view
	for _, v := range h.views {
		if v.showsNames(kind, n) {
			viewers = append(viewers, v)
		}
	}
	h.viewers[key] = viewers
	return viewers
}

type viewersKey struct {
	kind  kind
	names names
}

// apply applies changes, and sends them to the views that they touch.
func (h *Hub) apply(put bool, changes []autoconfig.Change, now time.Time) {
	inputs, rejected := parse(changes)
	for _, err := range rejected {
		h.settings.logger.Error("a change was not applied", "error", err)
	}
	for _, changed := range h.applyAll(put, inputs, now) {
		close(changed) // after the lock is free, which the relays that wake need
	}
}

// applyAll returns channels to close, of the views that have changed.
func (h *Hub) applyAll(put bool, inputs []input, now time.Time) (changed []chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = h.ready || put
	h.state.generation++
	var touched []*view
	touch := func(v *view) *pending {
		if !v.pending.any {
			v.pending.any = true
			touched = append(touched, v)
		}
		return &v.pending
	}
	for _, in := range inputs {
		textSize := 0
		if it := h.state.items[in.key()]; it != nil {
			textSize = len(it.text)
		}
		if st, ok := h.state.apply(in); ok {
			h.distribute(st, textSize, now, touch)
		}
	}
	for _, v := range touched {
		changed = append(changed, v.commit(now, h.state.generation, h.settings))
		h.wakeFanOut(v)
	}
	h.prepareViews()
	return changed
}

// distribute adds a step to the pending entries of each view that it touches.
func (h *Hub) distribute(st step, oldSize int, now time.Time, touch func(*view) *pending) {
	var before, after []*view
	if st.wasLive {
		before = h.viewersOf(st.item.kind, st.before)
	}
	if st.item.live {
		after = h.viewersOf(st.item.kind, st.item.names)
	}
	same := st.wasLive && st.item.live && st.before == st.item.names
	var shared *piece // the same event for all views
	for _, v := range before {
		v.digest.Remove(st.item.kind, st.item.id, st.oldVersion)
		v.size -= oldSize
		if same || slices.Contains(after, v) {
			continue
		}
		if st.how != byDelete {
			touch(v).gap = true
			continue
		}
		if shared == nil {
			shared = deleteEvent(st.item)
		}
		touch(v).add(v, shared, now)
	}
	for _, v := range after {
		v.digest.Add(st.item.kind, st.item.id, st.item.version)
		v.size += len(st.item.text)
		stays := same || slices.Contains(before, v)
		switch {
		case st.how == byNothing && stays:
			v.textGeneration = h.state.generation
		case st.how == byPatch:
			if shared == nil {
				shared = patchEvent(st.item)
			}
			touch(v).add(v, shared, now)
		default:
			touch(v).gap = true
		}
	}
}

func (p *pending) add(v *view, event *piece, now time.Time) {
	p.entries = append(p.entries, entry{point{v.digest, v.generation}, event, now})
}

// commit adds the pending entries to the recent past. It returns the channel that wakes the relays when it is closed.
func (v *view) commit(now time.Time, generation uint64, s settings) (changed chan struct{}) {
	entries := v.pending.entries
	if v.pending.gap {
		entries = []entry{{point: point{v.digest, generation}, at: now}}
	}
	for _, e := range entries {
		v.log = append(v.log, e)
		v.logBytes += e.size()
	}
	v.last += uint64(len(entries))
	if v.pending.gap {
		v.gap, v.generation = v.last, generation
	}
	v.pending = pending{}
	v.since = now
	v.forget(s.recentEvents, s.recentBytes)
	changed, v.changed = v.changed, make(chan struct{})
	for i := range v.bodies {
		v.bodies[i].dropUnused()
	}
	return changed
}

// forget drops the oldest entries beyond the limits.
func (v *view) forget(events, bytes int) {
	n := 0
	for ; n < len(v.log) && (len(v.log)-n > events || v.logBytes > bytes); n++ {
		v.logBytes -= v.log[n].size()
		v.base = v.log[n].point
	}
	if n == 0 {
		return
	}
	v.first += uint64(n)
	clear(v.log[:n])  // for the garbage collector
	v.log = v.log[n:] // append copies to a new array, now and then
}

// entrySize is the memory of an entry beside its text, in bytes.
const entrySize = 128

func (e entry) size() int {
	if e.event == nil {
		return entrySize
	}
	return entrySize + len(e.event.text)
}

// find returns the oldest place in the recent past with a digest: a state that was left and came back may be held
// from before, with other tombstones and texts.
func (v *view) find(d digest.Digest) (at uint64, p point, ok bool) {
	if v.base.digest == d {
		return v.first, v.base, true
	}
	for i, e := range v.log {
		if e.digest == d {
			return v.first + uint64(i) + 1, e.point, true
		}
	}
	return 0, point{}, false
}

// leadsOn tells whether the events after a place lead to the present state, with no put.
func (v *view) leadsOn(at uint64) bool { return at >= v.first && at >= v.gap }

// after returns the events after a place that leads on.
func (v *view) after(at uint64) []entry { return v.log[at-v.first:] }
