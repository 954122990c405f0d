package rpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDelaysDoubleUpToTheLongest(t *testing.T) {
	b := backoff{first: time.Second, longest: 5 * time.Second}
	for _, limit := range []time.Duration{1, 2, 4, 5, 5} {
		b.next(0, false)
		assert.Equal(t, limit*time.Second, b.limit)
	}
	b.next(4*time.Second, false)
	assert.Equal(t, 5*time.Second, b.limit, "after a short connection they go on")
	b.next(5*time.Second, false)
	assert.Equal(t, time.Second, b.limit, "after a long one they start again")
}

func TestDelaysAreSpread(t *testing.T) {
	const samples = 10000
	for name, row := range map[string]struct {
		slow     bool
		from, to time.Duration
	}{
		"soon":   {false, 0, time.Second},
		"slowly": {true, 15 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			const parts = 10
			var hits [parts + 1]int // the last one for the limit itself
			for range samples {
				b := backoff{first: time.Second, longest: 30 * time.Second}
				delay := b.next(0, row.slow)
				assert.GreaterOrEqual(t, delay, row.from)
				assert.LessOrEqual(t, delay, row.to)
				hits[parts*(delay-row.from)/(row.to-row.from)]++
			}
			for part, count := range hits[:parts] { // a tenth each, give or take eight standard deviations
				assert.InDelta(t, samples/parts, count, 240, "tenth %d", part)
			}
		})
	}
}
