//go:build linux

package main

import (
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/plot"
)

// soakCase is many changes while relays follow, come and go, and stall.
func soakCase(r *report) {
	const steady, comers, stallers, environments, changes, perSecond = 200, 200, 100, 1000, 100_000, 300
	up := newUpstream(environments)
	defer up.close()
	p := start("hub", up)
	defer p.stop()
	var all histogram
	f := follow(p, steady-steady/4, ask{}, all.since)
	zipped := follow(p, steady/4, ask{gzip: true}, all.since)
	stop := make(chan struct{})
	var streams, resumed atomic.Int64
	var unsteady sync.WaitGroup
	for i := range comers + stallers {
		unsteady.Go(func() {
			for id := ""; !isClosed(stop); streams.Add(1) {
				id = visit(p, ask{gzip: i%3 == 0, id: id, instance: fmt.Sprint("relay-", i), slow: i >= comers}, stop, &resumed)
			}
		})
	}
	memory := []plot.Line{{Name: "resident", Colour: colours["hub"]}, {Name: "heap", Colour: colours["resume"]}}
	sampled := make(chan struct{})
	begin, before := time.Now(), p.usage()
	go func() {
		defer close(sampled)
		for !isClosed(stop) {
			u := p.usage()
			memory[0].Points = append(memory[0].Points, plot.Point{X: time.Since(begin).Seconds(), Y: float64(u.RSS) / 1e6})
			memory[1].Points = append(memory[1].Points, plot.Point{X: time.Since(begin).Seconds(), Y: float64(u.Heap) / 1e6})
			time.Sleep(time.Second)
		}
	}()
	pace(changes, perSecond, up.change)
	took := time.Since(begin)
	awaitCount(&all, steady*changes)
	close(stop)
	<-sampled
	unsteady.Wait()
	after := p.usage()
	last := ""
	for _, s := range append(f.relays, zipped.relays...) {
		s.close()
	}
	f.ended.Wait()
	zipped.ended.Wait()
	for _, s := range append(f.relays, zipped.relays...) {
		if last != "" && s.lastID() != last {
			check(errors.New("relays have ended in different states"))
		}
		last = s.lastID()
	}
	r.header(fmt.Sprintf("%d changes in %.0f s, %d relays: %d follow (a quarter with gzip), %d come and go, %d stall (%d streams in all, %d resumed)",
		changes, took.Seconds(), steady+comers+stallers, steady, comers, stallers, streams.Load()+steady, resumed.Load()),
		"hub", "half of all", "99 of 100", "999 of 1,000", "all", "events that arrived", "CPU of the hub", "peak memory")
	r.latency("hub", &all, fmt.Sprint(all.count()), milliseconds(after.CPU-before.CPU), size(float64(after.Peak)))
	r.soakChart(memory, took, all.line("latency", colours["hub"]))
	log.Printf("soak: %d of %d events, p99 %v", all.count(), steady*changes, all.quantile(0.99))
}

// visit is a stream that ends after some seconds, and perhaps stalls for a while. It returns the state that it has then.
func visit(p *process, a ask, stop <-chan struct{}, resumed *atomic.Int64) string {
	r, err := open(p.address, a)
	if err != nil {
		return ""
	}
	defer r.close()
	if r.response.Header.Get("Relayconf-Resumed") != "" {
		resumed.Add(1)
	}
	end := time.Now().Add(rand.N(10 * time.Second))
	_ = r.conn.SetReadDeadline(end)
	stall := time.Now()
	for time.Now().Before(end) && !isClosed(stop) {
		if _, err := r.next(); err != nil {
			break
		}
		if a.slow && time.Since(stall) > time.Second {
			select {
			case <-time.After(rand.N(5 * time.Second)):
			case <-stop:
			}
			stall = time.Now()
		}
	}
	return r.lastID()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (r *report) soakChart(memory []plot.Line, took time.Duration, latency plot.Line) {
	y := plot.Axis{Linear: true, Ticks: []float64{0}, Format: func(v float64) string { return size(v * 1e6) }}
	for highest := 0.0; y.Ticks[len(y.Ticks)-1] <= highest || highest == 0; {
		for _, point := range append(memory[0].Points, memory[1].Points...) {
			highest = max(highest, point.Y)
		}
		y.Ticks = append(y.Ticks, y.Ticks[len(y.Ticks)-1]+50)
	}
	x := plot.Axis{Linear: true, Ticks: []float64{0}, Label: "seconds", Format: func(v float64) string { return fmt.Sprintf("%.0f", v) }}
	for x.Ticks[len(x.Ticks)-1] < took.Seconds() {
		x.Ticks = append(x.Ticks, x.Ticks[len(x.Ticks)-1]+60)
	}
	r.draw("hub-soak.svg", plot.Panel{Title: "Memory of the hub", X: x, Y: y, Lines: memory},
		histogramPanel("From the service's event to the relays that follow", []plot.Line{latency}))
}
