package hub

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// herdRelay is a relay that lost the hub, and how it comes back.
type herdRelay struct {
	asker asker
	asks  time.Duration // when it asks for the first time, and then the next time
	delay time.Duration // its own, next
	deaf  bool          // it knows no Retry-After
	exact bool          // it knows Relayconf-Retry-After
	gone  bool          // it goes elsewhere when it is refused
	let   time.Duration // when it was let in; 0: it was not
}

// refused sets when the relay asks again, by the fast schedule of package autoconfig.
func (r *herdRelay) refused(random *rand.Rand, retryAfter time.Duration) {
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	if r.exact {
		r.asks += max(retryAfter, 100*time.Millisecond) + upTo(100*time.Millisecond)
		return
	}
	wait := r.delay - upTo(r.delay/2)
	if after := retryAfter.Truncate(time.Second) + time.Second; !r.deaf && after > wait {
		wait = after + upTo(time.Second)
	}
	r.delay = min(2*r.delay, 30*time.Second)
	r.asks += wait
}

const (
	herdPut   = 600_000
	herdRate  = 64 << 20
	herdBurst = 256 << 20
)

// play lets a herd ask until all are let in.
func play(t *testing.T, random *rand.Rand, herd []*herdRelay) {
	a := newAdmission(herdRate, herdBurst)
	start := time.Now()
	later := func(a, b *herdRelay) int { return cmp.Compare(b.asks, a.asks) }
	waiting := slices.SortedFunc(slices.Values(herd), later)
	total, largest := 0.0, 0.0
	for asked := 0; len(waiting) > 0; asked++ {
		require.Less(t, asked, 100*len(herd), "some are never let in")
		r := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		ok, retryAfter := a.begin(r.asker, herdPut, start.Add(r.asks))
		switch {
		case ok:
			r.let = r.asks
			total += herdPut
			largest = max(largest, total-herdRate*r.asks.Seconds())
		case r.gone:
		default:
			r.refused(random, retryAfter)
			at, _ := slices.BinarySearchFunc(waiting, r, later)
			waiting = slices.Insert(waiting, at, r)
		}
	}
	assert.Less(t, largest, herdBurst+2.0*herdPut, "bytes beyond the rate")
	a.pass(start.Add(time.Hour))
	assert.Zero(t, a.owed)
	assert.Empty(t, a.turns)
}

// enough is when the bucket has let the puts of n relays begin that have asked from the beginning.
func enough(n int) time.Duration {
	return time.Duration(float64(n*herdPut-herdBurst) / herdRate * float64(time.Second))
}

// TestARefusedRelayHasATurn plays herds that come back to a hub that was gone for a second. Each relay was refused once or
// twice by then.
func TestARefusedRelayHasATurn(t *testing.T) {
	for name, test := range map[string]struct {
		relays int
		each   func(i int, r *herdRelay)
		late   time.Duration // how much later than the bucket allows the last one may be
	}{
		"one at each host":  {1000, func(int, *herdRelay) {}, 2 * time.Second},
		"many, one at each": {2500, func(int, *herdRelay) {}, 2 * time.Second},
		"instances at one host": {1000, func(i int, r *herdRelay) {
			r.asker = asker{name: fmt.Sprint("instance", i), one: true}
		}, 2 * time.Second},
		"exact ones": {2500, func(_ int, r *herdRelay) { r.exact = true }, 300 * time.Millisecond},
		"exact ones, all ask at one time": {2500, func(_ int, r *herdRelay) {
			r.exact, r.asks = true, time.Millisecond
		}, 300 * time.Millisecond},
		"half of them exact":  {1000, func(i int, r *herdRelay) { r.exact = i%2 == 0 }, 2 * time.Second},
		"all at one host":     {1000, func(_ int, r *herdRelay) { r.asker.name = "gateway" }, 10 * time.Second},
		"half of them go":     {1000, func(i int, r *herdRelay) { r.gone = i%2 == 0 }, 2 * time.Second},
		"all ask at one time": {1000, func(_ int, r *herdRelay) { r.asks = time.Millisecond }, 2 * time.Second},
		"deaf ones":           {1000, func(_ int, r *herdRelay) { r.deaf = true }, 30 * time.Second},
		"some deaf ones":      {1000, func(i int, r *herdRelay) { r.deaf = i%4 == 0 }, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				random := rand.New(rand.NewPCG(seed, 0))
				var herd []*herdRelay
				for i := range test.relays {
					r := &herdRelay{asker: asker{name: fmt.Sprint("host", i)}, delay: 4 * time.Second}
					r.asks = time.Duration(random.Int64N(int64(2 * time.Second)))
					test.each(i, r)
					herd = append(herd, r)
				}
				play(t, random, herd)
				last := slices.MaxFunc(herd, func(a, b *herdRelay) int { return cmp.Compare(a.let, b.let) })
				require.LessOrEqual(t, last.let, max(enough(len(herd)), 6*time.Second)+test.late)
			}
		})
	}
}

// TestTurnsGoBeforeNewcomers lets new relays ask all the time, so that there is never a token left.
func TestTurnsGoBeforeNewcomers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var herd []*herdRelay
	for i := range 3000 { // 150 a second, where 112 can be let in
		herd = append(herd, &herdRelay{asker: asker{name: fmt.Sprint("host", i)}, delay: time.Second,
			asks: time.Duration(i) * time.Second / 150})
	}
	first := make([]time.Duration, len(herd))
	for i, r := range herd {
		first[i] = r.asks
	}
	play(t, random, herd)
	for i, r := range herd {
		fair := max(0, enough(i)-first[i]) // the puts of those that came before
		require.LessOrEqual(t, r.let-first[i], fair+3*time.Second, i)
	}
}

func TestATurnsLimits(t *testing.T) {
	now := time.Now()
	a := newAdmission(100, 100)
	at := func(after time.Duration, name string) (bool, time.Duration) {
		return a.begin(asker{name: name, one: true}, 1000, now.Add(after))
	}
	let := func(ok bool, retryAfter time.Duration) func(bool, time.Duration) {
		return func(gotOK bool, got time.Duration) {
			t.Helper()
			assert.Equal(t, ok, gotOK)
			assert.Equal(t, retryAfter, got)
		}
	}
	yes, no := let(true, 0), func(seconds float64) func(bool, time.Duration) {
		return let(false, time.Duration(seconds*float64(time.Second)))
	}
	yes(at(0, "a"))                // leaves a debt of 900
	no(9)(at(0, "b"))              // its turn is at 9 s
	no(19)(at(0, "c"))             // and this one's at 19 s
	no(5)(at(4*time.Second, "b"))  // early, and told the same
	no(25)(at(4*time.Second, "d")) // its turn is at 29 s
	yes(at(10*time.Second, "b"))
	no(9)(at(10*time.Second, "c"))
	yes(at(21*time.Second, "c"))
	no(19)(at(21*time.Second, "e"))          // its turn is at 40 s
	yes(at(40*time.Second, "d"))             // late: in its place somebody may have come, but nobody did
	no(8)(at(41*time.Second, "e"))           // too many were late
	yes(at(29*time.Second+time.Minute, "e")) // too late for its turn, but there is no other
	assert.Empty(t, a.turns)
	assert.Zero(t, a.owed)
}

// TestARefusalSaysWhenToComeBack: in whole seconds, and exactly if no other relay is told the same.
func TestARefusalSaysWhenToComeBack(t *testing.T) {
	h := New()
	for _, test := range []struct {
		after    time.Duration // since the start of the hub
		from, to time.Duration
	}{
		{0, 500 * time.Millisecond, time.Second},
		{500 * time.Millisecond, 500 * time.Millisecond, time.Second},
		{4 * time.Second, 2 * time.Second, 4 * time.Second},
		{5 * time.Second, 2500 * time.Millisecond, 5 * time.Second},
	} {
		for range 100 {
			refused := h.notYet("", h.started.Add(test.after))
			assert.True(t, refused.exact)
			assert.GreaterOrEqual(t, refused.retryAfter, test.from, test.after)
			assert.Less(t, refused.retryAfter, test.to, test.after)
		}
	}
	refused := h.notYet("", h.started.Add(5*time.Second+1))
	assert.False(t, refused.exact, "nobody knows how long it will take")
	for _, test := range []struct {
		refused refusal
		want    [2]string // Retry-After, Relayconf-Retry-After
	}{
		{refusal{status: http.StatusServiceUnavailable, retryAfter: 1250 * time.Millisecond, exact: true}, [2]string{"2", "1.250"}},
		{refusal{status: http.StatusServiceUnavailable, retryAfter: 0, exact: true}, [2]string{"1", "0.000"}},
		{refusal{status: http.StatusServiceUnavailable, retryAfter: 3 * time.Second}, [2]string{"3", ""}},
		{refusal{status: http.StatusUnauthorized}, [2]string{"", ""}},
	} {
		header := http.Header{}
		test.refused.sayWhen(header)
		assert.Equal(t, test.want, [2]string{header.Get("Retry-After"), header.Get("Relayconf-Retry-After")})
	}
}
