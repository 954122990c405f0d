//go:build linux

package main

import (
	"fmt"
	"log"
	"time"
)

// herd is how a herd of relays was served.
type herd struct {
	e      encoded
	relays int
	last   time.Duration // until the last relay had all
	cpu    time.Duration // of the serving process
	bytes  float64       // for each relay
	peak   int           // of the serving process
	memory float64       // of the serving process, for each relay, once all were idle
}

// connect connects relays at once, without a state, until each has the put.
func connect(e encoded, relays int, up *upstream, size int64) herd {
	p := start(e.contender, up)
	defer p.stop()
	return measure(p, e, relays, func(r *relay) error { return r.receive(size) }, "")
}

// reconnect connects relays at once that have the present state.
func reconnect(e encoded, relays int, up *upstream) herd {
	p := start(e.contender, up)
	defer p.stop()
	first, err := open(p.address, ask{gzip: e.gzip})
	check(err)
	defer first.close()
	_, err = first.next()
	check(err)
	return measure(p, e, relays, func(r *relay) error { _, err := r.next(); return err }, first.lastID())
}

func measure(p *process, e encoded, relays int, receive func(*relay) error, id string) herd {
	all := make([]*relay, relays)
	before := p.settled()
	took := together(relays, func(i int) error {
		r, err := open(p.address, ask{gzip: e.gzip, id: id})
		if err != nil {
			return err
		}
		all[i] = r
		if !r.letIn() {
			return fmt.Errorf("a relay was refused: %s", r.response.Status)
		}
		return receive(r)
	})
	after := p.usage()
	h := herd{e: e, relays: relays, last: took[relays-1], cpu: after.CPU - before.CPU, peak: after.Peak}
	h.memory = float64(p.settled().RSS-before.RSS) / float64(relays)
	for _, r := range all {
		h.bytes += float64(r.bytes.Load()) / float64(relays)
		r.close()
	}
	log.Printf("%s, %d relays: %v, CPU %v, %.0f B and %.0f B of memory each, peak %d MB", e, relays, h.last, h.cpu, h.bytes, h.memory, h.peak>>20)
	return h
}

var contenders = []encoded{{"hub", true}, {"hub", false}, {"baseline", true}, {"baseline", false}, {"bare", true}, {"bare", false}}

// connectCase is a herd of newcomers.
func connectCase(r *report) {
	const relays, environments = 200, 10_000
	up := newUpstream(environments)
	defer up.close()
	r.herdHeader(fmt.Sprintf("%d relays connect at once, a put of %d environments each", relays, environments))
	for _, e := range contenders {
		r.herd(connect(e, relays, up, putBytes(e, up)))
	}
}

// reconnectCase is a herd of relays that have all.
func reconnectCase(r *report) {
	const relays, environments = 200, 10_000
	up := newUpstream(environments)
	defer up.close()
	r.herdHeader(fmt.Sprintf("%d relays reconnect at once, nothing has changed, %d environments", relays, environments))
	for _, e := range []encoded{{"hub", true}, {"hub", false}, {"baseline", false}} {
		r.herd(reconnect(e, relays, up))
	}
}

// idleCase is the memory of relays that have a small put, and nothing to do.
func idleCase(r *report) {
	const relays, environments = 2000, 10
	up := newUpstream(environments)
	defer up.close()
	r.herdHeader(fmt.Sprintf("%d idle relays, %d environments", relays, environments))
	for _, e := range contenders {
		r.herd(connect(e, relays, up, putBytes(e, up)))
	}
}
