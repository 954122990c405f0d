//go:build linux

package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/relayconf/relayconf/internal/plot"
)

// latencyCase is the time from the service's write to the arrival at each relay.
func latencyCase(r *report) {
	const relays, environments, patches, perSecond = 1000, 1000, 600, 25
	up := newUpstream(environments)
	defer up.close()
	r.header(fmt.Sprintf("From the service's event to each of %d relays, %d patches a second", relays, perSecond),
		"hub", "half of all", "99 of 100", "999 of 1,000", "all", "CPU of the hub")
	var lines []plot.Line
	for _, contender := range []string{"hub", "baseline", "bare"} {
		p := start(contender, up)
		var all histogram
		f := follow(p, relays, ask{}, all.since)
		before := p.usage()
		pace(patches, perSecond, up.change)
		awaitCount(&all, relays*patches)
		cpu := (p.usage().CPU - before.CPU) / patches
		f.close()
		p.stop()
		r.latency(contender, &all, milliseconds(cpu))
		lines = append(lines, all.line(contender, colours[contender]))
	}
	r.histogram("hub-latency.svg", fmt.Sprintf("From the service's event to each of %d relays", relays), lines)
}

// pace calls change n times, at a rate.
func pace(n, perSecond int, change func()) {
	const burst = 5 * time.Millisecond // sleeping is not exact; late changes are made up for
	begin := time.Now()
	for done := 0; done < n; {
		due := min(n, 1+int(time.Since(begin).Seconds()*float64(perSecond)))
		for ; done < due; done++ {
			change()
		}
		time.Sleep(min(burst, time.Second/time.Duration(perSecond)))
	}
}

// awaitCount waits until so many events have arrived, or none more do.
func awaitCount(all *histogram, n int64) {
	for before := int64(-1); all.count() < n && all.count() != before; {
		before = all.count()
		time.Sleep(2 * time.Second)
	}
	if all.count() < n {
		log.Printf("%d of %d events have arrived", all.count(), n)
	}
}

func (r *report) latency(name string, all *histogram, more ...string) {
	r.row(append([]string{name, milliseconds(all.quantile(0.5)), milliseconds(all.quantile(0.99)),
		milliseconds(all.quantile(0.999)), milliseconds(all.max())}, more...)...)
}

var colours = map[string]string{"hub": "#1d4ed8", "baseline": "#c2410c", "bare": "#6b7280", "resume": "#15803d"}

// histogram draws histograms of durations.
func (r *report) histogram(file, title string, lines []plot.Line) {
	r.draw(file, histogramPanel(title, lines))
}

func histogramPanel(title string, lines []plot.Line) plot.Panel {
	highest := 0.0
	var shown []plot.Line
	for _, l := range lines {
		line := l
		line.Points = nil
		for _, p := range l.Points {
			if p.Y > 0 {
				line.Points = append(line.Points, p)
				highest = max(highest, p.Y)
			}
		}
		shown = append(shown, line)
	}
	y := plot.Axis{Linear: true, Format: func(v float64) string { return fmt.Sprintf("%.0f %%", v) }}
	step := 5.0
	if highest > 30 {
		step = 20
	}
	for v := 0.0; ; v += step {
		y.Ticks = append(y.Ticks, v)
		if v > highest {
			break
		}
	}
	return plot.Panel{Title: title, Y: y, Lines: shown,
		X: plot.Axis{Ticks: plot.Decades(shown, func(p plot.Point) float64 { return p.X }), Format: shortDuration}}
}

func shortDuration(ms float64) string {
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.4g s", ms/1e3)
	case ms >= 1:
		return fmt.Sprintf("%.4g ms", ms)
	}
	return fmt.Sprintf("%.4g us", ms*1e3)
}

func (r *report) draw(file string, panels ...plot.Panel) {
	check(os.WriteFile(filepath.Join(r.charts, file), []byte(plot.Chart(panels...)), 0o644))
}
