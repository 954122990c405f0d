//go:build linux

package main

import (
	"fmt"
	"log"
	"slices"
	"sync"
	"time"
)

// followers are relays that read all events.
type followers struct {
	relays []*relay
	ended  sync.WaitGroup
}

// follow opens relays which have the put when it returns, and calls received for each event after that, with its stamp.
func follow(p *process, n int, a ask, received func(stamp int64)) *followers {
	f := &followers{relays: make([]*relay, n)}
	together(n, func(i int) error {
		r, err := open(p.address, a)
		if err != nil {
			return err
		}
		f.relays[i] = r
		_, err = r.next()
		return err
	})
	for _, r := range f.relays {
		f.ended.Go(func() {
			for {
				stamp, err := r.next()
				if err != nil {
					return // close
				}
				received(stamp)
			}
		})
	}
	return f
}

func (f *followers) close() {
	for _, r := range f.relays {
		r.close()
	}
	f.ended.Wait()
}

// patchCase is the time until the last of many relays has read a patch, one patch at a time.
func patchCase(r *report) {
	const relays, environments, patches = 2000, 100, 100
	up := newUpstream(environments)
	defer up.close()
	r.header(fmt.Sprintf("A patch to %d relays, until the last one has read it", relays),
		"hub", "median", "95 of 100", "CPU of the hub")
	for _, contender := range []string{"hub", "baseline", "bare"} {
		p := start(contender, up)
		arrived := make(chan struct{}, relays)
		f := follow(p, relays, ask{}, func(int64) { arrived <- struct{}{} })
		before := p.usage()
		var took []time.Duration
		for range patches {
			begin := time.Now()
			up.change()
			for range relays {
				<-arrived
			}
			took = append(took, time.Since(begin))
		}
		cpu := (p.usage().CPU - before.CPU) / patches
		f.close()
		p.stop()
		slices.Sort(took)
		r.row(contender, milliseconds(took[patches/2]), milliseconds(took[patches*95/100]), milliseconds(cpu))
		log.Printf("patch, %s: %v, CPU %v", contender, took[patches/2], cpu)
	}
}
