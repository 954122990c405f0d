package hook

import (
	"math"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

// longestSettle is how many times the settle time changes may wait that never pause.
const longestSettle = 10

// queue holds the changes that wait for a run. It knows no clock: the time is passed in.
type queue struct {
	settle  time.Duration    // not positive: each change has a run of its own
	changes []*change.Change // pointers, so that a hundred thousand are not copied when the queue grows
	first   time.Time        // when the oldest of changes came
	latest  time.Time
}

func (q *queue) add(c change.Change, now time.Time) {
	if len(q.changes) == 0 {
		q.first = now
	}
	q.latest = now
	q.changes = append(q.changes, &c)
}

// untilDue is how long it takes until there is something to run, if no further change comes.
func (q *queue) untilDue(now time.Time) time.Duration {
	switch {
	case len(q.changes) == 0:
		return math.MaxInt64
	case q.settle <= 0:
		return 0
	}
	return max(0, min(q.latest.Add(q.settle).Sub(now), q.first.Add(longestSettle*q.settle).Sub(now)))
}

// take takes the changes of the next run off the queue.
func (q *queue) take() []*change.Change {
	if q.settle > 0 || len(q.changes) == 0 {
		all := q.changes
		q.changes = nil
		return all
	}
	next := []*change.Change{q.changes[0]}
	q.changes[0] = nil // so that the array does not keep a change after its run
	q.changes = q.changes[1:]
	if len(q.changes) == 0 {
		q.changes = nil
	}
	return next
}
