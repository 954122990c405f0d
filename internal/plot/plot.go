// Package plot draws the charts of the documents: SVG pictures with panels side by side.
package plot

import (
	"fmt"
	"math"
	"strings"
)

// The size of a chart's panels, and of the room around them for the text, in pixels.
const (
	left, top, right = 70, 50, 30
	wide, tall       = 330, 300
	gap, below       = 90, 70
)

// Panel is a diagram with lines.
type Panel struct {
	Title string
	X, Y  Axis
	Lines []Line
}

// Axis is a scale. The first and the last tick are its ends.
type Axis struct {
	Label  string // may be empty
	Linear bool   // otherwise it is logarithmic
	Ticks  []float64
	Format func(float64) string // of a tick
}

// Line joins points, in order.
type Line struct {
	Name   string
	Colour string // as in SVG
	Dashed bool
	Points []Point
}

// Point is a figure at a place.
type Point struct{ X, Y float64 }

// Decades returns the powers of ten around all points of the lines.
func Decades(lines []Line, of func(Point) float64) (ticks []float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, line := range lines {
		for _, point := range line.Points {
			exponent := math.Log10(of(point))
			low, high = min(low, math.Floor(exponent)), max(high, math.Ceil(exponent))
		}
	}
	for exponent := low; exponent <= high; exponent++ {
		ticks = append(ticks, math.Pow(10, exponent))
	}
	return ticks
}

// Chart draws panels side by side.
func Chart(panels ...Panel) string {
	width, height := left+len(panels)*(wide+gap)-gap+right, top+tall+below
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	for i, p := range panels {
		p.draw(&svg, float64(left+i*(wide+gap)))
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

func (p Panel) draw(svg *strings.Builder, x0 float64) {
	x := func(v float64) float64 { return x0 + p.X.part(v)*wide }
	y := func(v float64) float64 { return top + tall - p.Y.part(v)*tall }
	text(svg, x0+wide/2, top-20, "middle", "black", p.Title)
	text(svg, x0+wide/2, top+tall+40, "middle", "black", p.X.Label)
	for _, tick := range p.Y.Ticks {
		grid(svg, x0, y(tick), x0+wide, y(tick))
		text(svg, x0-8, y(tick)+4, "end", "black", p.Y.Format(tick))
	}
	for _, tick := range p.X.Ticks {
		grid(svg, x(tick), top, x(tick), top+tall)
		text(svg, x(tick), top+tall+18, "middle", "black", p.X.Format(tick))
	}
	for i, line := range p.Lines {
		var points []string
		for _, point := range line.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(point.X), y(point.Y)))
		}
		dashes := ""
		if line.Dashed {
			dashes = ` stroke-dasharray="6 4"`
		}
		fmt.Fprintf(svg, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"%s/>`+"\n", strings.Join(points, " "), line.Colour, dashes)
		at := float64(top + 20 + i*18)
		fmt.Fprintf(svg, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="2.5"%s/>`+"\n", x0+10, at-4, x0+32, at-4, line.Colour, dashes)
		text(svg, x0+38, at, "start", line.Colour, line.Name)
	}
}

// part is how far along the axis a value is, from 0 to 1.
func (a Axis) part(v float64) float64 {
	low, high := a.Ticks[0], a.Ticks[len(a.Ticks)-1]
	if !a.Linear {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return min(1, max(0, (v-low)/(high-low)))
}

func grid(svg *strings.Builder, x1, y1, x2, y2 float64) {
	fmt.Fprintf(svg, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e5e7eb"/>`+"\n", x1, y1, x2, y2)
}

func text(svg *strings.Builder, x, y float64, anchor, colour, content string) {
	fmt.Fprintf(svg, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, content)
}
