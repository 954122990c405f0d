package hub

import (
	"cmp"
	"slices"
	"time"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// maxBodies is how many puts of a view exist at most in each encoding: one that relays still take, and a newer one.
const maxBodies = 2

// reusedFor is how long a put serves newcomers after the view has changed. They get the events since right after it, but a
// relay takes it for the whole configuration first. A busy hub encodes no more than one in that time.
const reusedFor = time.Second

// bodies are the puts of a view in one encoding, oldest first.
type bodies struct {
	all     []*body
	checked time.Time     // when relays that take them too slowly were last looked for
	freed   chan struct{} // closed, and replaced, when one was dropped while others wait for its place; nil if none do
}

// body is a put that many relays take. It is encoded once, by the first relay that needs it.
type body struct {
	view     *view
	encoding encoding
	at       uint64 // the place in the view's past
	made     time.Time
	point
	texts    []listed   // all items, until it is encoded; for longer only if some have returned
	returned []returned // those that came back at a version not above one that was sent, cleanest last

	ready   chan struct{} // closed when full is there
	full    frame
	reduced map[int]*reducedFrame // full without the first n of returned, by n; guarded by Hub.mu

	takers int // relays that take it; guarded by Hub.mu
}

type listed struct {
	itemKey
	text []byte
}

// returned is an item that relays may hold at a higher version, if their state is of a generation before clean.
type returned struct {
	itemKey
	version int
	clean   uint64
}

// frame is the encoded bytes of a whole event.
type frame struct {
	data   []byte
	sum    checksum
	digest digest.Digest
}

type reducedFrame struct {
	ready chan struct{}
	frame
}

// take returns a put, of a certain place or later, for a relay that events alone can't lead on, and whether the relay has
// to encode it. If there is none, and no place for a new one, it returns nil.
func (v *view) take(encoding encoding, atLeast uint64, state *state) (b *body, encode bool) {
	of := &v.bodies[encoding]
	if n := len(of.all); n > 0 && of.all[n-1].usable() && of.all[n-1].at >= atLeast {
		b = of.all[n-1]
	}
	if b == nil || !b.isRecent() {
		of.all = slices.DeleteFunc(of.all, func(b *body) bool { return b.takers == 0 })
		if len(of.all) < maxBodies {
			b, encode = v.newBody(encoding, state), true
			of.all = append(of.all, b)
		}
	}
	if b != nil {
		b.takers++
	}
	return b, encode
}

// usable tells whether the body and the events since lead to the present state.
func (b *body) usable() bool { return b.view.leadsOn(b.at) && b.generation >= b.view.textGeneration }

// isRecent tells whether the body is of the present state, or was a moment ago.
func (b *body) isRecent() bool { return b.at == b.view.last || time.Since(b.made) < reusedFor }

// dropUnused drops bodies that no relay takes or will take. The newest one stays for newcomers.
func (of *bodies) dropUnused() {
	if len(of.all) == 0 {
		return
	}
	newest := of.all[len(of.all)-1]
	of.all = slices.DeleteFunc(of.all, func(b *body) bool { return b.takers == 0 && (b != newest || !b.usable()) })
	if of.freed != nil {
		close(of.freed) // also if no place was freed: a body that is not taken gives way in any case
		of.freed = nil
	}
}

// release ends a take.
func (b *body) release() {
	b.takers--
	b.view.bodies[b.encoding].dropUnused()
}

func (of *bodies) waitForPlace() <-chan struct{} {
	if of.freed == nil {
		of.freed = make(chan struct{})
	}
	return of.freed
}

func (v *view) newBody(encoding encoding, state *state) *body {
	b := &body{
		view:     v,
		encoding: encoding,
		at:       v.last,
		made:     time.Now(),
		point:    point{v.digest, state.generation},
		ready:    make(chan struct{}),
	}
	for _, it := range state.items {
		if !v.shows(it) {
			continue
		}
		b.texts = append(b.texts, listed{it.itemKey, it.text})
		if it.returned {
			b.returned = append(b.returned, returned{it.itemKey, it.version, it.clean})
		}
	}
	slices.SortFunc(b.returned, func(a, b returned) int {
		return cmp.Or(-cmp.Compare(a.clean, b.clean), a.compare(b.itemKey))
	})
	return b
}

func (k itemKey) compare(other itemKey) int {
	return cmp.Or(cmp.Compare(k.kind, other.kind), cmp.Compare(k.id, other.id))
}

// encode makes the put. The relay that took the body first calls it, once.
func (b *body) encode() {
	slices.SortFunc(b.texts, func(a, b listed) int { return a.compare(b.itemKey) }) // environments, then filters
	b.full = b.encodeTexts(b.texts, b.digest)
	if len(b.returned) == 0 {
		b.texts = nil
	}
	close(b.ready)
}

// missed returns how many items the relay may hold at a higher version, whose state is of a generation. They are the
// first ones of returned.
func (b *body) missed(generation uint64) int {
	n, _ := slices.BinarySearchFunc(b.returned, generation, func(r returned, generation uint64) int {
		if r.clean > generation {
			return -1
		}
		return 1
	})
	return n
}

// without returns the put without the first n items of returned, which makes relays drop those that they hold.
func (b *body) without(h *Hub, n int) frame {
	h.mu.Lock()
	r := b.reduced[n]
	first := r == nil
	if first {
		r = &reducedFrame{ready: make(chan struct{})}
		if b.reduced == nil {
			b.reduced = map[int]*reducedFrame{}
		}
		b.reduced[n] = r
	}
	h.mu.Unlock()
	if !first {
		<-r.ready
		return r.frame
	}
	left := make(map[itemKey]bool, n)
	d := b.digest
	for _, item := range b.returned[:n] {
		left[item.itemKey] = true
		d.Remove(item.kind, item.id, item.version)
	}
	kept := slices.DeleteFunc(slices.Clone(b.texts), func(l listed) bool { return left[l.itemKey] })
	r.frame = b.encodeTexts(kept, d)
	close(r.ready)
	return r.frame
}

// encodeTexts encodes a put of sorted items.
func (b *body) encodeTexts(texts []listed, d digest.Digest) frame {
	size := len("event: put\ndata: ") + len(idLine) + 64
	for _, l := range texts {
		size += len(l.text) + len(l.id) + len(`"":,`)
	}
	var out putWriter
	if b.encoding == gzipped {
		out = newDeflater(largePiece)
		size = putBuffer
	} else {
		out = &plainPut{}
	}
	buffer := append(make([]byte, 0, size), "event: put\ndata: "...)
	buffer = wire.AppendPutStart(buffer)
	kind, first := environment, true
	for _, l := range texts {
		if l.kind != kind {
			buffer, kind, first = wire.AppendPutFilters(buffer), l.kind, true
		}
		buffer = wire.AppendPutItem(buffer, first, l.id, l.text)
		first = false
		if b.encoding == gzipped && len(buffer) >= putBuffer/2 {
			_, _ = out.Write(buffer) // it writes to memory
			buffer = buffer[:0]
		}
	}
	if b.view.filters && kind == environment {
		buffer = wire.AppendPutFilters(buffer)
	}
	buffer = append(wire.AppendPutEnd(buffer), '\n')
	buffer = appendIDText(buffer, d)
	_, _ = out.Write(buffer)
	z := out.finish()
	return frame{data: z.data, sum: z.sum, digest: d}
}

// putBuffer is how much of a put is passed to the compressor at once.
const putBuffer = 32 << 10

// putWriter takes the text of a put in parts.
type putWriter interface {
	Write([]byte) (int, error)
	finish() zipped
}

// plainPut keeps the text, which comes in one part, as it is.
type plainPut struct{ text []byte }

func (p *plainPut) Write(text []byte) (int, error) { p.text = text; return len(text), nil }
func (p *plainPut) finish() zipped                 { return zipped{data: p.text} }
