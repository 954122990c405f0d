package hook

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestWhenARunIsDue(t *testing.T) {
	const never, s = time.Duration(math.MaxInt64), time.Second
	tests := map[string]struct {
		settle time.Duration
		added  []time.Duration // after noon
		now    time.Duration
		due    time.Duration // after now
		runs   int           // how many changes are in the run
	}{
		"nothing":                           {s, nil, 0, never, 0},
		"nothing, each alone":               {0, nil, 0, never, 0},
		"each alone":                        {0, []time.Duration{0, 0, 0}, 0, 0, 1},
		"just added":                        {s, []time.Duration{0}, 0, s, 1},
		"half settled":                      {s, []time.Duration{0}, s / 2, s / 2, 1},
		"settled":                           {s, []time.Duration{0}, s, 0, 1},
		"settled long ago":                  {s, []time.Duration{0}, time.Hour, 0, 1},
		"a later change starts it anew":     {s, []time.Duration{0, s / 2}, s, s / 2, 2},
		"changes that do not pause, before": {s, []time.Duration{0, 5 * s, 95 * s / 10}, 95 * s / 10, s / 2, 3},
		"changes that do not pause":         {s, []time.Duration{0, 5 * s, 10 * s}, 10 * s, 0, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			q := queue{settle: test.settle}
			for _, after := range test.added {
				q.add(change.Change{}, noon.Add(after))
			}
			assert.Equal(t, test.due, q.untilDue(noon.Add(test.now)))
			assert.Len(t, q.take(), test.runs)
			assert.Len(t, q.changes, len(test.added)-test.runs)
		})
	}
}

func TestTheSettleTimeStartsAnewAfterARun(t *testing.T) {
	q := queue{settle: time.Second}
	q.add(change.Change{}, noon)
	q.take()
	q.add(change.Change{}, noon.Add(time.Hour))
	assert.Equal(t, time.Second, q.untilDue(noon.Add(time.Hour)))
}
