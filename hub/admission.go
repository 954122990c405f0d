package hub

import (
	"math"
	"time"
)

// admission limits the bytes of puts that are begun. It is a token bucket: a put may begin while there is any token, and
// may take more than there are, so that one larger than the bucket can begin, too.
type admission struct {
	rate, burst float64 // bytes per second, bytes
	tokens      float64 // negative: a debt
	backlog     float64 // bytes of the puts that were refused and may be asked for again, less the bytes let in since
	at          time.Time
}

func newAdmission(rate, burst int) admission {
	return admission{rate: float64(rate), burst: float64(burst), tokens: float64(burst)}
}

// maxRetryAfter is the longest wait that is asked for.
const maxRetryAfter = 300

// begin tells whether a put of so many bytes may begin. If not, it returns after how many seconds the relay should try
// again: those that are refused get one turn each, one after the other.
func (a *admission) begin(bytes int, now time.Time) (ok bool, retryAfter int) {
	if !a.at.IsZero() {
		refill := a.rate * now.Sub(a.at).Seconds()
		a.tokens = min(a.burst, a.tokens+refill)
		a.backlog = max(0, a.backlog-refill)
	}
	a.at = now
	if a.tokens > 0 {
		a.tokens -= float64(bytes)
		return true, 0
	}
	a.backlog += float64(bytes)
	seconds := math.Ceil((a.backlog - a.tokens) / a.rate)
	return false, int(max(1, min(maxRetryAfter, seconds)))
}
