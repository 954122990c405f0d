//go:build linux

package main

import (
	"fmt"

	"github.com/relayconf/relayconf/internal/plot"
)

// scaleCase draws how herds of newcomers and of relays that have all grow with the number of relays.
func scaleCase(r *report) {
	const environments = 1000
	sizes := []int{10, 50, 200, 1000, 5000}
	up := newUpstream(environments)
	defer up.close()
	r.herdHeader(fmt.Sprintf("Herds of all sizes, a put of %d environments", environments))
	var times, memory, herds, bytes []plot.Line
	var resumedTimes, resumedBytes plot.Line
	add := func(lines *[]plot.Line, e encoded, points []plot.Point) {
		*lines = append(*lines, plot.Line{Name: e.String(), Colour: colours[e.contender], Dashed: e.gzip, Points: points})
	}
	for _, e := range contenders {
		size := putBytes(e, up)
		var took, peak, sent []plot.Point
		for _, n := range sizes {
			if e.contender == "baseline" && e.gzip && n > 2000 {
				continue // it would take some 5 GB
			}
			h := connect(e, n, up, size)
			r.herdOf(h)
			took = append(took, plot.Point{X: float64(n), Y: float64(h.last.Microseconds()) / 1e3})
			peak = append(peak, plot.Point{X: float64(n), Y: float64(h.peak) / 1e6})
			sent = append(sent, plot.Point{X: float64(n), Y: h.bytes})
		}
		add(&times, e, took)
		add(&memory, e, peak)
		if e.contender != "bare" {
			add(&herds, e, took)
			add(&bytes, e, sent)
		}
	}
	resumedTimes = plot.Line{Name: "hub, resume", Colour: colours["resume"]}
	resumedBytes = resumedTimes
	for _, n := range sizes {
		h := reconnect(encoded{"hub", false}, n, up)
		h.e.contender = "hub, resume"
		r.herdOf(h)
		resumedTimes.Points = append(resumedTimes.Points, plot.Point{X: float64(n), Y: float64(h.last.Microseconds()) / 1e3})
		resumedBytes.Points = append(resumedBytes.Points, plot.Point{X: float64(n), Y: h.bytes})
	}
	relays := plot.Axis{Label: "relays", Format: func(n float64) string { return fmt.Sprint(int(n)) }}
	for _, n := range sizes {
		relays.Ticks = append(relays.Ticks, float64(n))
	}
	panel := func(title string, format func(float64) string, lines []plot.Line) plot.Panel {
		y := plot.Axis{Ticks: plot.Decades(lines, func(p plot.Point) float64 { return p.Y }), Format: format}
		return plot.Panel{Title: title, X: relays, Y: y, Lines: lines}
	}
	megabytes := func(v float64) string { return size(v * 1e6) }
	r.draw("hub-connect.svg", panel("All connect at once: until the last has its put", shortDuration, times),
		panel("Peak memory of the hub", megabytes, memory))
	r.draw("hub-reconnect.svg", panel("All reconnect at once: until the last has all", shortDuration, append(herds, resumedTimes)),
		panel("Bytes for each relay", size, append(bytes, resumedBytes)))
}

func (r *report) herdOf(h herd) {
	h.e.contender = fmt.Sprintf("%d: %s", h.relays, h.e.contender)
	r.herd(h)
}
