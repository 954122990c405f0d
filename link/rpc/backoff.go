package rpc

import (
	"math/rand/v2"
	"time"
)

// backoff chooses the delays between attempts to connect. All clients of a server lose it at the same moment when it
// restarts; so that they don't come back at the same moment, a delay is any time up to a limit, which doubles.
type backoff struct {
	first, longest time.Duration
	limit          time.Duration // of the last delay; 0 before the first
}

// next returns the delay after a connection that lasted some time, 0 if none came about. Slow is for refusals that won't
// end soon: the delay is at least half the longest.
func (b *backoff) next(lasted time.Duration, slow bool) time.Duration {
	if lasted >= b.longest { // a shorter one may be that of a server that accepts and fails
		b.limit = 0
	}
	b.limit = min(max(2*b.limit, b.first), b.longest)
	if slow {
		return b.longest/2 + upTo(b.longest/2)
	}
	return upTo(b.limit)
}

func upTo(limit time.Duration) time.Duration { return rand.N(limit + 1) }
