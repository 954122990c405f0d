//go:build linux

package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/plot"
)

// herdCase restarts a hub from its cache. All its relays have lost it, and come back with the backoff of package
// autoconfig. Admission is the default one.
func herdCase(r *report) {
	const relays, environments = 1000, 10_000
	r.header(fmt.Sprintf("%d relays come back to a hub that restarts from its cache, %d environments", relays, environments),
		"relays have", "half are in sync after", "99 of 100", "the last", "refusals", "bytes in all", "CPU of the hub", "peak memory")
	var lines []plot.Line
	for _, c := range []struct {
		name, colour  string
		gzip, changed bool
	}{
		{"all", colours["resume"], false, false},
		{"an older state, gzip", colours["hub"], true, true},
		{"an older state", colours["baseline"], false, true},
	} {
		lines = append(lines, restart(r, c.name, c.gzip, c.changed, relays, environments).line(c.name, c.colour))
	}
	r.histogram("hub-restart.svg", fmt.Sprintf("After a restart: until each of %d relays is in sync", relays), lines)
}

func restart(r *report, name string, gzip, changed bool, relays, environments int) *histogram {
	up := newUpstream(environments)
	defer up.close()
	folder, err := os.MkdirTemp("", "hubbench")
	check(err)
	defer os.RemoveAll(folder)
	cache := filepath.Join(folder, "cache")
	p := start("hub", up, "-cache", cache)
	first, err := open(p.address, ask{})
	check(err)
	_, err = first.next()
	check(err)
	id := first.lastID()
	for { // until it is saved
		if _, err := os.Stat(cache); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	if changed {
		up.change()
		id = strings.Repeat("0", len(id)) // of a state before the hub's recent past
	}
	var put int64
	if changed {
		put = putBytes(encoded{"hub", gzip}, up)
	}
	lost := time.Now()
	var synced histogram
	var bytes, refusals atomic.Int64
	all := make([]*relay, relays)
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(relays, func(i int) error {
			all[i] = comeBack(p.address, ask{gzip: gzip, id: id, instance: fmt.Sprint("relay-", i)}, put, &bytes, &refusals)
			synced.add(time.Since(lost))
			return nil
		})
	}()
	time.Sleep(time.Second) // the restart
	p = start("hub", up, "-cache", cache, "-address", p.address, "-admission")
	<-done
	used := p.usage()
	for _, o := range all {
		bytes.Add(o.bytes.Load())
		o.close()
	}
	p.stop()
	r.row(name, milliseconds(synced.quantile(0.5)), milliseconds(synced.quantile(0.99)), milliseconds(synced.max()),
		fmt.Sprint(refusals.Load()), size(float64(bytes.Load())), milliseconds(used.CPU), size(float64(used.Peak)))
	log.Printf("restart, relays have %s: %v", name, synced.max())
	return &synced
}

// comeBack asks until it is let in, and has all: a put of so many bytes, or, if that is 0, the event of a resume.
func comeBack(address string, a ask, put int64, bytes, refusals *atomic.Int64) *relay {
	delay := time.Second
	for wait := delay/2 + rand.N(delay); ; { // after the loss
		time.Sleep(wait)
		delay = min(2*delay, 30*time.Second)
		wait = delay/2 + rand.N(delay/2)
		if r, err := open(address, a); err == nil {
			if r.letIn() {
				if put > 0 {
					err = r.receive(put)
				} else {
					_, err = r.next()
				}
				check(err)
				return r
			}
			refusals.Add(1)
			bytes.Add(r.bytes.Load())
			r.close()
			wait = r.delay(wait)
		}
	}
}
