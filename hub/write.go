package hub

import (
	"time"

	"github.com/relayconf/relayconf/internal/digest"
)

// begin writes the header and, to a relay that resumes, an event that changes nothing.
func (r *relay) begin() error {
	header := r.out.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache, no-transform")
	header.Set("X-Accel-Buffering", "no")
	header.Set("Vary", "Accept-Encoding, Authorization")
	if r.encoding == gzipped {
		header.Set("Content-Encoding", "gzip")
	}
	if r.resumed {
		header.Set("Relayconf-Resumed", "true")
	}
	if r.unconfirmed != "" {
		header.Set("Relayconf-Unconfirmed", r.unconfirmed)
	}
	r.out.start()
	if r.encoding == gzipped {
		r.out.write(gzipHeader)
	}
	if r.resumed {
		r.hub.counters.resumed.Add(1)
		r.event(resumedEvent, r.point.digest)
	}
	return r.out.flush()
}

// writeEvents writes patches and deletes, or the rest of those that were begun.
func (r *relay) writeEvents(entries []entry, begun bool) error {
	for _, e := range entries {
		if !begun {
			r.event(e.event, e.digest)
		}
	}
	if err := r.out.flush(); err != nil {
		return err
	}
	r.delivered(entries)
	return nil
}

// writePut writes a put; two, if the relay may have missed that an item was removed which came back at a version not
// greater than before: one without it, then one with it.
func (r *relay) writePut(next job) error {
	b := next.body
	if next.encode {
		b.encode()
	} else {
		select {
		case <-b.ready:
		case <-r.stopped:
			return nil
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
	r.hub.counters.puts.Add(1)
	if n := b.missed(r.generation); n > 0 {
		r.put(b.without(r.hub, n))
		if err := r.out.flush(); err != nil {
			return err
		}
	}
	r.put(b.full)
	return r.out.flush()
}

func (r *relay) put(f frame) {
	r.out.write(f.data)
	r.out.add(f.sum)
	r.wrote(f.digest)
}

// event writes an event that leads to a state.
func (r *relay) event(event *piece, d digest.Digest) {
	r.piece(event)
	id, sum := appendID(r.out.buffer[:0], d, r.encoding)
	r.out.buffer = id
	r.out.write(id)
	r.out.add(sum)
	r.wrote(d)
}

func (r *relay) piece(p *piece) {
	data, sum := p.bytes(r.encoding)
	r.out.write(data)
	r.out.add(sum)
}

func (r *relay) wrote(d digest.Digest) { r.lastEvent, r.lastEventID = time.Now(), d }

// end ends the encoding.
func (r *relay) end() error {
	if r.encoding == gzipped {
		if r.out.written.Load() == 0 { // its key was revoked before it began
			r.out.write(gzipHeader)
		}
		r.out.write(gzipTrailer(r.out.sum))
	}
	return r.out.flush()
}
