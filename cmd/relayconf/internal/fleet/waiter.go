package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// waiter finds out whether all relays that are expected meet the condition. One goroutine uses it; its fields
// below mu are for the goroutines that ask relays, too.
type waiter struct {
	api       API
	condition Condition
	named     map[string]bool // nil if nobody was named

	// Of the first look.
	start    time.Time
	done     time.Time // since when nobody was missing; zero: somebody is
	begun    bool
	atStart  map[string]bool         // names of relays with an agent
	streams  map[streamOrigin]int    // relays without agent, by where they come from
	unlinked map[identity]bool       // processes of relays without agent, as far as they have told
	expected map[string]bool         // those, and all that were connected since
	taken    bool                    // upstream was confirmed, so targets count
	targets  map[target]bool         // digests that views have had since
	versions map[string]hub.Versions // of views, by their digest

	asking  sync.WaitGroup
	answers chan struct{} // holds a token when there is a new answer
	mu      sync.Mutex
	asked   map[string]*versionAnswer // by name
}

// streamOrigin is all that is known of a relay without agent after its stream has ended.
type streamOrigin struct{ key, host string }

// target is a configuration that relays of a view may have applied: the one at the start, or a later one.
type target struct {
	viewKey
	digest string
}

// versionAnswer is a relay's answer about the environment.
type versionAnswer struct {
	epoch   uint64 // of the link
	wanted  string // the digest that it had reported when it was asked
	digest  string // the digest that it had when it answered
	version int64
	known   bool
	failed  bool
	at      time.Time // when it answered; zero until then
}

func newWaiter(a API, c Condition) *waiter {
	w := &waiter{api: a, condition: c, atStart: map[string]bool{}, expected: map[string]bool{}, streams: map[streamOrigin]int{}, unlinked: map[identity]bool{},
		targets: map[target]bool{}, versions: map[string]hub.Versions{}, answers: make(chan struct{}, 1), asked: map[string]*versionAnswer{}}
	if len(c.Relays) > 0 {
		w.named = map[string]bool{}
		for _, name := range c.Relays {
			w.named[name] = true
		}
	}
	return w
}

// look compares the fleet with the condition, at one moment.
func (w *waiter) look(ctx context.Context, now time.Time) Progress {
	c := w.condition
	var problem string
	if c.Environment == "" && c.Digest == "" && !w.taken {
		confirmed, why := w.api.Upstream() // before the views: they are then at least as new
		w.taken = confirmed
		if !confirmed {
			problem = "the configuration to wait for is not certain yet: " + why
		}
	}
	o := w.api.Directory.Overview()
	w.begin(o, now)
	w.aim(o)
	p := Progress{Missing: []MissingRelay{}}
	for _, r := range w.chosen(o) {
		p.Total++
		if reason := w.lacks(ctx, r, now); reason != "" {
			p.Missing = append(p.Missing, MissingRelay{r.Name, reason})
		} else {
			p.Done++
		}
	}
	for _, gone := range w.gone(o) {
		p.Total++
		p.Missing = append(p.Missing, gone)
	}
	slices.SortFunc(p.Missing, func(a, b MissingRelay) int { return cmp.Compare(a.Name, b.Name) })
	p.Problem = cmp.Or(problem, w.problem(o, p))
	if p.Problem == "" && len(p.Missing) == 0 {
		p.Problem = w.unconfirmed(o, now)
	} else {
		w.done = time.Time{}
	}
	return p
}

// unconfirmed says why it is not certain that nobody is missing: the news of other hubs' relays are from before the
// last one of all had applied it. Two moments at which nobody is missing, and other hubs heard in between, are success.
func (w *waiter) unconfirmed(o Overview, now time.Time) string {
	if w.done.IsZero() {
		w.done = now
	}
	if !o.KnownAt.Before(w.done) {
		return ""
	}
	w.api.Directory.Confirm()
	return "the other hubs have yet to confirm it"
}

// problem says why there can be no success, even if nobody is missing.
func (w *waiter) problem(o Overview, p Progress) string {
	switch {
	case o.Incomplete != "":
		return o.Incomplete
	case p.Total == 0:
		return "no relay is expected: none was seen, or none may see the environment"
	case p.Done < w.condition.Min && p.Total < w.condition.Min:
		return fmt.Sprintf("there are %d relays, and at least %d are expected", p.Total, w.condition.Min)
	case o.Unsettled != "" && w.named == nil && w.condition.Min == 0 && len(p.Missing) == 0:
		return o.Unsettled
	default:
		return ""
	}
}

// begin notes who is there, and who was at the start.
func (w *waiter) begin(o Overview, now time.Time) {
	for _, r := range o.Relays {
		if r.Agent && (r.Connected || w.begun && r.Since.After(w.start)) { // or it came and went between two looks
			w.expected[r.Name] = true
		}
	}
	if w.begun {
		return
	}
	w.begun, w.start = true, now
	for _, r := range o.Relays {
		switch {
		case !r.Agent:
			w.streams[streamOrigin{r.Key, host(r.Address)}]++
			if r.Instance != "" {
				w.unlinked[identity{r.Instance, r.Key}] = true
			}
		case r.Connected || w.condition.SeenWithinSeconds == 0 || now.Sub(r.Since).Seconds() <= w.condition.SeenWithinSeconds:
			w.atStart[r.Name], w.expected[r.Name] = true, true
		}
	}
}

// aim adds the present configuration of each view to those that count.
func (w *waiter) aim(o Overview) {
	for _, r := range o.Relays {
		if w.taken && r.Want != "" && r.Grant != nil {
			w.targets[target{viewKey{r.Grant, r.Protocol}, r.Want}] = true
		}
	}
}

// chosen returns the relays that are waited for.
func (w *waiter) chosen(o Overview) (relays []Relay) {
	present := map[string]bool{}
	for _, r := range o.Relays {
		present[r.Name] = true
		switch {
		case w.named != nil && !w.named[r.Name]:
		case w.named == nil && !r.Connected && !w.expected[r.Name]: // seen too long ago
		default:
			relays = append(relays, r)
		}
	}
	var absent []string
	for name := range w.named {
		absent = append(absent, name)
	}
	if w.named == nil {
		for name := range w.expected {
			if !slices.Contains(o.Forgotten, name) {
				absent = append(absent, name)
			}
		}
	}
	for _, name := range absent {
		if !present[name] {
			relays = append(relays, Relay{Name: name, Agent: true})
		}
	}
	return w.concerned(relays)
}

// gone returns relays without agent that were there at the start and no longer are: nobody knows their digest now. One
// that has got an agent since is waited for under its name, which may be known from a former process.
func (w *waiter) gone(o Overview) (gone []MissingRelay) {
	if w.named != nil {
		return nil
	}
	now := map[streamOrigin]int{}
	for _, r := range o.Relays {
		if r.Connected && (!r.Agent || !w.atStart[r.Name] || w.unlinked[identity{r.Instance, r.Key}]) {
			now[streamOrigin{r.Key, host(r.Address)}]++
		}
	}
	for origin, n := range w.streams {
		for range n - now[origin] {
			gone = append(gone, MissingRelay{"stream:" + origin.host, "its stream has ended since the start, and it has no agent"})
		}
	}
	return gone
}

// lacks says why a relay does not count yet; empty if it does.
func (w *waiter) lacks(ctx context.Context, r Relay, now time.Time) string {
	switch {
	case !r.Connected && r.Since.IsZero():
		return "was never seen"
	case !r.Connected:
		return fmt.Sprintf("is not connected; last seen %s ago", now.Sub(r.Since).Round(time.Second))
	case !r.Agent && !w.condition.AllowUnconfirmed:
		return "has no agent, so what it has applied is not known"
	case w.condition.Environment != "":
		return w.lacksVersion(ctx, r)
	}
	has := r.Applied
	if !r.Agent {
		has = r.Sent
	}
	switch {
	case has == "":
		return "has no configuration yet, as far as it has told"
	case w.condition.Digest != "" && has == w.condition.Digest, w.targets[target{viewKey{r.Grant, r.Protocol}, has}]:
		return ""
	case w.condition.Digest != "":
		return "has digest " + has
	case !w.taken:
		return "waits for upstream, as all do"
	case r.Grant == nil:
		return fmt.Sprintf("has the key %q, which this hub does not know", r.Key)
	case r.Behind.IsZero():
		return "is behind"
	default:
		return fmt.Sprintf("is behind for %s", now.Sub(r.Behind).Round(time.Second))
	}
}

// askTimeout is for a relay to say which version it has.
const askTimeout = 10 * time.Second

// ask asks a relay for its version of the environment, in the background.
func (w *waiter) ask(ctx context.Context, r Relay) {
	a := &versionAnswer{epoch: r.Epoch, wanted: r.Applied}
	w.asked[r.Name] = a
	w.asking.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		var has agentpb.GetAppliedVersionsResponse
		err := w.api.Directory.Call(ctx, r.Name, &agentpb.GetAppliedVersionsRequest{Ids: []string{w.condition.Environment}}, &has)
		w.mu.Lock()
		defer w.mu.Unlock()
		a.at, a.failed = time.Now(), err != nil
		if err == nil {
			a.digest = has.AppliedDigest
			a.version, a.known = has.Versions[w.condition.Environment]
		}
		select {
		case w.answers <- struct{}{}:
		default:
		}
	})
}
