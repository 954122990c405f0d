package main

import (
	"fmt"
	"math"
	"strings"
)

// The size of the chart, and of the room around its two panels for the text, in pixels.
const (
	width, height = 880, 420
	left, top     = 70, 50
	panel, tall   = 330, 300
	gap           = 90
)

var colours = []struct{ contender, colour string }{
	{"baseline", "#c2410c"}, {"relayconf", "#1d4ed8"}, {"wire", "#6b7280"},
}

// chart is an SVG picture: time against the number of environments, for a first put and for an unchanged one. Both axes
// are logarithmic.
func chart(all results) string {
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	drawPanel(&svg, all, "Put", "First put", left)
	drawPanel(&svg, all, "PutUnchanged", "The same put again", left+panel+gap)
	svg.WriteString("</svg>\n")
	return svg.String()
}

func drawPanel(svg *strings.Builder, all results, benchmark, title string, x0 int) {
	sizes := all.sizes(benchmark)
	if len(sizes) < 2 {
		return
	}
	low, high := math.Inf(1), math.Inf(-1) // decades of time
	for _, r := range all {
		if r.benchmark == benchmark {
			low, high = min(low, math.Floor(math.Log10(r.median("ns/op")))), max(high, math.Ceil(math.Log10(r.median("ns/op"))))
		}
	}
	first, last := math.Log10(float64(sizes[0])), math.Log10(float64(sizes[len(sizes)-1]))
	x := func(n int) float64 { return float64(x0) + (math.Log10(float64(n))-first)/(last-first)*panel }
	y := func(ns float64) float64 { return top + tall - (math.Log10(ns)-low)/(high-low)*tall }

	text(svg, float64(x0+panel/2), top-20, "middle", "black", title)
	text(svg, float64(x0+panel/2), top+tall+40, "middle", "black", "environments")
	for decade := low; decade <= high; decade++ {
		at := y(math.Pow(10, decade))
		line(svg, float64(x0), at, float64(x0+panel), at)
		text(svg, float64(x0-8), at+4, "end", "black", duration(math.Pow(10, decade)))
	}
	for _, n := range sizes {
		line(svg, x(n), top, x(n), top+tall)
		text(svg, x(n), top+tall+18, "middle", "black", fmt.Sprint(n))
	}
	for i, c := range colours {
		var points []string
		for _, n := range sizes {
			if r := all.find(benchmark, n, c.contender); r != nil {
				at := fmt.Sprintf("%.1f,%.1f", x(n), y(r.median("ns/op")))
				points = append(points, at)
			}
		}
		fmt.Fprintf(svg, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"/>`+"\n", strings.Join(points, " "), c.colour)
		text(svg, float64(x0+12), float64(top+20+i*18), "start", c.colour, c.contender)
	}
}

func line(svg *strings.Builder, x1, y1, x2, y2 float64) {
	fmt.Fprintf(svg, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e5e7eb"/>`+"\n", x1, y1, x2, y2)
}

func text(svg *strings.Builder, x, y float64, anchor, colour, content string) {
	fmt.Fprintf(svg, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, content)
}
