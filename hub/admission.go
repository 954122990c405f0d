package hub

import (
	"crypto/sha256"
	"time"
)

// admission limits the bytes of puts that are begun. It is a token bucket: a put may begin while there is any token, and
// may take more than there are, so that one larger than the bucket can begin, too. A relay that is refused gets a turn: a
// time from when on it goes before all that ask for the first time.
type admission struct {
	rate, burst float64 // bytes per second, bytes
	tokens      float64 // negative: a debt
	at          time.Time

	turns map[asker][]*turn // of each asker, in the order in which they were given
	kept  []*turn           // turns that newcomers wait for, in that order, and some that were taken
	late  []*turn           // turns that newcomers no longer wait for, and some that were taken
	owed  float64           // bytes of the turns that newcomers wait for
}

// asker tells which relay asks for a put, as well as can be told.
type asker struct {
	key  [sha256.Size]byte
	name string // its instance, or else its host
	one  bool   // no other relay has this name
}

func (r *relay) asker() asker {
	if r.instance != "" {
		return asker{key: r.grant.hash, name: r.instance, one: true}
	}
	return asker{key: r.grant.hash, name: r.host()}
}

// turn is a place in the queue.
type turn struct {
	asker asker
	at    time.Time
	bytes float64
	taken bool
	late  bool
}

const (
	// maxRetryAfter is the longest wait that is asked for.
	maxRetryAfter = 5 * time.Minute

	// turnKept is for how long newcomers wait for a turn. A relay that knows Retry-After only may come a second after it, since
	// that is in whole seconds, and spreads itself over another second.
	turnKept = 3 * time.Second

	// lateKept is for how long a turn counts. A relay that knows no Retry-After, or whose own delay is longer, may come 30 s
	// after it.
	lateKept = 30 * time.Second

	maxTurns = 100_000
)

func newAdmission(rate, burst int) admission {
	return admission{rate: float64(rate), burst: float64(burst), tokens: float64(burst), turns: map[asker][]*turn{}}
}

// begin tells whether a put of so many bytes may begin. If not, it returns after how long the relay should try again.
func (a *admission) begin(who asker, bytes int, now time.Time) (ok bool, retryAfter time.Duration) {
	a.pass(now)
	var first *turn
	if turns := a.turns[who]; len(turns) > 0 {
		first = turns[0]
	}
	due := first != nil && !now.Before(first.at)
	switch {
	case due && a.tokens > 0:
		a.take(first)
		fallthrough
	case !due && a.tokens > a.owed:
		a.tokens -= float64(bytes)
		return true, 0
	case due: // too many have come late at the same time
		return false, boundedWait(-a.tokens / a.rate)
	case first != nil && who.one:
		return false, boundedWait(first.at.Sub(now).Seconds())
	}
	wait := (a.owed - a.tokens) / a.rate
	if len(a.kept)+len(a.late) < maxTurns {
		a.give(&turn{asker: who, at: now.Add(time.Duration(min(wait, 1e6) * float64(time.Second))), bytes: float64(bytes)})
	}
	return false, boundedWait(wait)
}

// boundedWait returns a wait of so many seconds, or the longest.
func boundedWait(seconds float64) time.Duration {
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// pass notes that time has passed.
func (a *admission) pass(now time.Time) {
	if !a.at.IsZero() {
		a.tokens = min(a.burst, a.tokens+a.rate*now.Sub(a.at).Seconds())
	}
	a.at = now
	for len(a.kept) > 0 && now.Sub(a.kept[0].at) > turnKept {
		t := a.kept[0]
		a.kept = a.kept[1:]
		if !t.taken {
			t.late = true
			a.owed -= t.bytes
			a.late = append(a.late, t)
		}
	}
	for len(a.late) > 0 && now.Sub(a.late[0].at) > lateKept {
		t := a.late[0]
		a.late = a.late[1:]
		if !t.taken {
			a.take(t)
		}
	}
}

func (a *admission) give(t *turn) {
	a.turns[t.asker] = append(a.turns[t.asker], t)
	a.kept = append(a.kept, t)
	a.owed += t.bytes
}

// take ends a turn, which is the first one of its asker.
func (a *admission) take(t *turn) {
	t.taken = true
	if !t.late {
		a.owed -= t.bytes
	}
	if rest := a.turns[t.asker][1:]; len(rest) > 0 {
		a.turns[t.asker] = rest
	} else {
		delete(a.turns, t.asker)
	}
}
