package main

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestASignalThatComesTwiceAtOnceIsOne(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name   string
		after  []time.Duration // the first signal
		twice  bool
		within time.Duration // of the first signal
	}{
		{"one", []time.Duration{0}, false, 0},
		{"two at once, as from timeout", []time.Duration{0, 0}, false, 0},
		{"two within the time", []time.Duration{0, 249 * ms}, false, 0},
		{"many within the time", []time.Duration{0, 0, 100 * ms, 200 * ms}, false, 0},
		{"two", []time.Duration{0, 250 * ms}, true, 250 * ms},
		{"a key that is held down", []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}, true, 300 * ms},
		{"the second comes twice, too", []time.Duration{0, 0, time.Second, time.Second}, true, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stops, ended := make(chan os.Signal, len(row.after)), make(chan struct{})
				begin := time.Now()
				for _, after := range row.after {
					time.AfterFunc(after, func() { stops <- os.Interrupt })
				}
				time.AfterFunc(time.Minute, func() { close(ended) })
				stopped := 0
				twice := stopTwice(stops, ended, func() { stopped++ })
				assert.Equal(t, row.twice, twice)
				assert.Equal(t, 1, stopped)
				if twice {
					assert.Equal(t, row.within, time.Since(begin))
				}
			})
		})
	}
}
