package main

import (
	"fmt"

	"github.com/relayconf/relayconf/internal/plot"
)

var colours = []struct{ contender, colour string }{
	{"baseline", "#c2410c"}, {"relayconf", "#1d4ed8"}, {"wire", "#6b7280"},
}

// chart is an SVG picture: time against the number of environments, for a first put and for an unchanged one. Both axes
// are logarithmic.
func chart(all results) string {
	var panels []plot.Panel
	for _, p := range []struct{ benchmark, title string }{{"Put", "First put"}, {"PutUnchanged", "The same put again"}} {
		if len(all.sizes(p.benchmark)) >= 2 {
			panels = append(panels, panel(all, p.benchmark, p.title))
		}
	}
	return plot.Chart(panels...)
}

func panel(all results, benchmark, title string) plot.Panel {
	p := plot.Panel{
		Title: title,
		X:     plot.Axis{Label: "environments", Format: func(n float64) string { return fmt.Sprint(int(n)) }},
		Y:     plot.Axis{Format: duration},
	}
	for _, n := range all.sizes(benchmark) {
		p.X.Ticks = append(p.X.Ticks, float64(n))
	}
	for _, c := range colours {
		line := plot.Line{Name: c.contender, Colour: c.colour}
		for _, n := range all.sizes(benchmark) {
			if r := all.find(benchmark, n, c.contender); r != nil {
				line.Points = append(line.Points, plot.Point{X: float64(n), Y: r.median("ns/op")})
			}
		}
		p.Lines = append(p.Lines, line)
	}
	p.Y.Ticks = plot.Decades(p.Lines, func(point plot.Point) float64 { return point.Y })
	return p
}
