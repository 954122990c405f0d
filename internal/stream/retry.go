package stream

import (
	"math"
	"time"

	"github.com/relayconf/relayconf/internal/backoff"
)

// The two schedules of retries. The fast one is for faults that mend themselves within seconds. The slow one is for
// mistakes that a person has to mend: asking more often would only be a burden to the service.
const (
	defaultFastDelay = time.Second
	maxFastDelay     = 30 * time.Second
	minSlowDelay     = 5 * time.Minute
	maxSlowDelay     = time.Hour

	// maxRetryAfter bounds a Retry-After header, and the header together with its random part.
	maxRetryAfter = time.Hour

	// minExactDelay bounds a RetryAfterHeader from below, and its random part from above.
	minExactDelay = 100 * time.Millisecond

	// healthyAfter is how long a connection must have worked for the schedules to start anew when it is lost.
	healthyAfter = 60 * time.Second
)

// retrySchedule says how long to wait before the next attempt to connect.
type retrySchedule struct {
	fast, slow backoff.Backoff
	random     func() float64 // at least 0, less than 1
}

func newRetrySchedule(initialDelay time.Duration, random func() float64) *retrySchedule {
	if initialDelay <= 0 {
		initialDelay = defaultFastDelay
	}
	return &retrySchedule{
		fast:   backoff.Backoff{Base: initialDelay, Limit: max(initialDelay, maxFastDelay)},
		slow:   backoff.Backoff{Base: minSlowDelay, Limit: maxSlowDelay},
		random: random,
	}
}

// setBase sets the base of the fast schedule to a retry field of the stream. The schedule goes on from where it was.
func (s *retrySchedule) setBase(delay time.Duration) {
	if delay <= 0 {
		delay = defaultFastDelay // as for the initial delay; no delay at all would be a flood
	}
	s.fast.Base = min(delay, maxFastDelay)
	s.fast.Limit = maxFastDelay
}

// reset starts both schedules anew.
func (s *retrySchedule) reset() { s.fast.Reset(); s.slow.Reset() }

// fastDelay is the next delay of the fast schedule.
func (s *retrySchedule) fastDelay() time.Duration { return s.jitter(s.fast.Next()) }

// slowDelay is the next delay of the slow schedule.
func (s *retrySchedule) slowDelay() time.Duration { return s.jitter(s.slow.Next()) }

// afterLoss is the next delay of the fast schedule for a connection that was up. When a service goes away, or asks for
// new connections, all of its clients lose theirs at the same moment, and a service that comes back must not meet them
// all at once: so the first delay is spread over twice the range that jitter has, from half the base to one and a half
// times the base. With the default base of 1 s that is a tenth of the clients in each 100 ms. Later delays need no
// more than the jitter, as the clients are apart by then.
func (s *retrySchedule) afterLoss() time.Duration {
	if s.fast.Attempts() > 0 {
		return s.fastDelay()
	}
	base := s.fast.Next()
	spread := time.Duration(s.random() * float64(base))
	return base/2 + min(spread, math.MaxInt64-base/2)
}

// jitter takes up to half off, so that clients that lost the service together don't come back together.
func (s *retrySchedule) jitter(delay time.Duration) time.Duration {
	return delay - time.Duration(s.random()*float64(delay)/2)
}

// atLeast honours a Retry-After header, which may lengthen a delay and never shortens it. Everybody who was turned
// away is told the same, so up to a fast delay is added at random.
func (s *retrySchedule) atLeast(delay, retryAfter time.Duration) time.Duration {
	if retryAfter <= delay {
		return delay
	}
	return min(retryAfter+time.Duration(s.random()*float64(s.fast.Base)), maxRetryAfter)
}

// exactly honours a RetryAfterHeader. The delays of the schedule don't grow by it. A little is added at random, so that
// clients whose moments are the same for once come one after the other.
func (s *retrySchedule) exactly(after time.Duration) time.Duration {
	return max(after, minExactDelay) + time.Duration(s.random()*float64(minExactDelay))
}
