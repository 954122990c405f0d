package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const output = `goos: linux
BenchmarkPut/environments=10/relayconf-2     100   3000 ns/op  12.5 MB/s  100 B/op  10 allocs/op
BenchmarkPut/environments=10/relayconf-2     100   1000 ns/op  12.5 MB/s  100 B/op  10 allocs/op
BenchmarkPut/environments=10/relayconf-2     100   2000 ns/op  12.5 MB/s  100 B/op  10 allocs/op
BenchmarkPut/environments=10/baseline-2      100   8000 ns/op  12.5 MB/s  400 B/op  90 allocs/op
BenchmarkPut/environments=10/wire-2          100    500 ns/op  12.5 MB/s    0 B/op   0 allocs/op
BenchmarkPut/environments=1000/relayconf-2   100 200000 ns/op
BenchmarkPut/environments=1000/baseline-2    100 800000 ns/op
BenchmarkPut/environments=1000/wire-2        100  50000 ns/op
BenchmarkRetained/environments=10/relayconf-2  1  5 ns/op  300 heap-B/env
BenchmarkRetained/environments=10/baseline-2   1  5 ns/op  400 heap-B/env
PASS
`

func TestTableHasMediansAndRatios(t *testing.T) {
	all, err := parse(strings.NewReader(output))
	require.NoError(t, err)
	assert.Contains(t, table(all), "| first put | 10 | 2 us | 8 us | 500 ns | 4.0 | 4.0 | 0.250 | 10, not 90 |")
	assert.Contains(t, table(all), "| heap kept | 10 | 300 B each | 400 B each | | | | 0.75 | |")
}

func TestChartIsWellFormed(t *testing.T) {
	all, err := parse(strings.NewReader(output))
	require.NoError(t, err)
	dec, lines := xml.NewDecoder(strings.NewReader(chart(all))), 0
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "polyline" {
			lines++
		}
	}
	assert.Equal(t, 3, lines)
}

func TestInputThatMakesNoSense(t *testing.T) {
	for _, input := range []string{"", "PASS", "BenchmarkPut/environments=x/wire-2 1 2 ns/op", "BenchmarkPut/environments=1/wire-2 1 x ns/op"} {
		_, err := parse(strings.NewReader(input))
		assert.Error(t, err, input)
	}
}
