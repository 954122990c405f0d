package shared

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

// Overview implements fleet.Directory.
func (f *Fleet) Overview() fleet.Overview {
	o := f.local.Overview()
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	o.Incomplete = f.incomplete(now)
	var others []fleet.Relay
	if len(f.peers) > 0 {
		o.Hubs = append(o.Hubs, fleet.Hub{Name: f.name, Connected: true, Since: f.started})
	}
	for _, p := range f.peers {
		h := fleet.Hub{Name: p.Name, Connected: f.fresh(p, now), Since: p.Started}
		if !h.Connected {
			h.Since = p.lastRead
		}
		o.Hubs = append(o.Hubs, h)
		if !h.Connected {
			continue
		}
		for _, r := range p.relays() {
			others = append(others, f.seenFromHere(r, p.Name))
		}
	}
	slices.SortFunc(o.Hubs, func(a, b fleet.Hub) int { return cmp.Compare(a.Name, b.Name) })
	o.Relays = merge(o.Relays, others)
	return o
}

// seenFromHere compares a relay of another hub with this hub's configuration.
func (f *Fleet) seenFromHere(record relayRecord, hub string) fleet.Relay {
	r := record.relay(hub)
	r.Grant = f.hub.GrantNamed(r.Key)
	if r.Grant == nil || !f.hub.Status().Ready {
		return r
	}
	view := r.Grant.View(r.Protocol)
	r.Want = view.Digest
	has := r.Applied
	if !r.Agent {
		has = r.Sent
	}
	switch {
	case has == r.Want:
	case record.Want == r.Want && !record.Behind.IsZero():
		r.Behind = record.Behind
	case view.Since.After(r.Since):
		r.Behind = view.Since
	default:
		r.Behind = r.Since
	}
	return r
}

// fresh tells whether the news of a hub are new enough to go by.
func (f *Fleet) fresh(p *peer, now time.Time) bool {
	at, known := f.sent[p.heardUs]
	return p.whole && known && now.Sub(at) <= f.expiry
}

// incomplete says why relays of other hubs may be missing.
func (f *Fleet) incomplete(now time.Time) string {
	s := f.state
	switch {
	case s.failing != nil:
		return fmt.Sprintf("Redis at %s has not answered for %s, so the relays of other hubs are not known", f.client.Server, ago(now, s.since))
	case s.answered.IsZero():
		return fmt.Sprintf("Redis at %s has not answered yet, so the relays of other hubs are not known", f.client.Server)
	}
	for _, p := range f.peers {
		switch {
		case f.fresh(p, now):
		case p.heardUs == 0 && now.Sub(p.lastRead) < f.expiry:
			return fmt.Sprintf("the hub %s has just been found, and has yet to answer", p.Name)
		default:
			return fmt.Sprintf("the hub %s has not been heard of for %s", p.Name, ago(now, p.lastRead))
		}
	}
	return ""
}

func ago(now, then time.Time) time.Duration { return max(0, now.Sub(then)).Round(time.Second) }

// merge adds the relays of other hubs to those of this one. Of those with one name, the highest epoch wins.
func merge(local, others []fleet.Relay) []fleet.Relay {
	best := map[string]fleet.Relay{}
	linked := map[[2]string]bool{}
	for _, r := range slices.Concat(local, others) {
		if !r.Agent {
			continue
		}
		linked[[2]string{r.Instance, r.Key}] = true
		before, known := best[r.Name]
		if !known || r.Connected && (!before.Connected || r.Epoch > before.Epoch) {
			best[r.Name] = r
		}
	}
	merged := make([]fleet.Relay, 0, len(best))
	for _, r := range best {
		merged = append(merged, r)
	}
	slices.SortFunc(merged, func(a, b fleet.Relay) int { return cmp.Compare(a.Name, b.Name) })
	var streams []fleet.Relay
	for _, r := range slices.Concat(local, others) {
		if !r.Agent && (r.Instance == "" || !linked[[2]string{r.Instance, r.Key}]) {
			streams = append(streams, r)
		}
	}
	slices.SortFunc(streams, func(a, b fleet.Relay) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Hub, b.Hub)) })
	return append(merged, streams...)
}
