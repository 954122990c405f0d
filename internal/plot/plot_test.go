package plot_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/plot"
)

// polylines are the points of the lines of a chart, which must be well-formed.
func polylines(t *testing.T, svg string) (lines []string) {
	for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := dec.Token()
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "polyline" {
			lines = append(lines, element.Attr[0].Value)
		}
	}
}

func TestPointsAreWhereTheirAxesPutThem(t *testing.T) {
	format := func(v float64) string { return fmt.Sprint(v) }
	line := plot.Line{Name: "a", Colour: "red", Points: []plot.Point{{X: 1, Y: 0}, {X: 10, Y: 50}, {X: 1000, Y: 1}}}
	svg := plot.Chart(
		plot.Panel{X: plot.Axis{Ticks: []float64{1, 10, 100}, Format: format}, Y: plot.Axis{Linear: true, Ticks: []float64{0, 100}, Format: format},
			Lines: []plot.Line{line}},
		plot.Panel{X: plot.Axis{Linear: true, Ticks: []float64{0, 10}, Format: format}, Y: plot.Axis{Ticks: []float64{1, 100}, Format: format}})
	assert.Equal(t, []string{"70.0,350.0 235.0,200.0 400.0,347.0"}, polylines(t, svg), "what is beyond an end is drawn there")
}

func TestDecades(t *testing.T) {
	lines := []plot.Line{{Points: []plot.Point{{X: 3, Y: 0.5}}}, {Points: []plot.Point{{X: 200, Y: 100}}}}
	assert.Equal(t, []float64{1, 10, 100, 1000}, plot.Decades(lines, func(p plot.Point) float64 { return p.X }))
	assert.Equal(t, []float64{0.1, 1, 10, 100}, plot.Decades(lines, func(p plot.Point) float64 { return p.Y }))
}
