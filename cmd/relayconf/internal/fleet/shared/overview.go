package shared

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/hub"
)

// Overview implements fleet.Directory.
func (f *Fleet) Overview() fleet.Overview {
	o := f.local.Overview()
	now := time.Now()
	f.mu.Lock()
	current := f.peers.current(now)
	if o.Incomplete = f.incomplete(current, now); o.Incomplete == "" {
		o.KnownAt = f.knownAt(current)
	} else {
		o.KnownAt = time.Time{}
	}
	var others []fleet.Relay
	lost := map[string]string{} // by name of a relay: the hub that it was last at
	for _, p := range current {
		fresh, shown := f.peers.fresh(p, now), f.peers.shown(p, current)
		o.Hubs = append(o.Hubs, describe(p, shown, fresh))
		for _, r := range p.list() {
			if r.Hub = shown; fresh {
				others = append(others, r)
			} else {
				lost[r.Name] = shown
			}
		}
	}
	f.mu.Unlock()

	if len(o.Hubs) > 0 {
		o.Hubs = append(o.Hubs, fleet.Hub{Name: f.name, Connected: true, Since: f.started})
		slices.SortFunc(o.Hubs, func(a, b fleet.Hub) int { return cmp.Compare(a.Name, b.Name) })
	}
	o.Relays = merge(o.Relays, f.fromHere(others))
	for i, r := range o.Relays {
		if r.Hub == "" {
			o.Relays[i].Hub = lost[r.Name]
		}
	}
	return o
}

func describe(p *peer, shown string, fresh bool) fleet.Hub {
	if fresh {
		return fleet.Hub{Name: shown, Connected: true, Since: p.Started}
	}
	return fleet.Hub{Name: shown, Since: p.lastRead}
}

// knownAt returns the earliest of the moments after which the roster of a hub was found to be so. It needs the lock.
func (f *Fleet) knownAt(current []*peer) time.Time {
	at := f.state.answered
	for _, p := range current {
		if sent := f.peers.sent[p.heardUs]; sent.Before(at) {
			at = sent
		}
	}
	return at
}

// incomplete says why relays of other hubs may be missing. It needs the lock.
func (f *Fleet) incomplete(current []*peer, now time.Time) string {
	s := f.state
	switch {
	case s.failing != nil:
		return fmt.Sprintf("the fleet's Redis, %s, has failed for %s, so the relays of other hubs are not known", f.client.Server, ago(now, s.since))
	case s.answered.IsZero():
		return fmt.Sprintf("the fleet's Redis, %s, has not answered yet, so the relays of other hubs are not known", f.client.Server)
	case now.Sub(s.answered) > f.peers.expiry:
		return fmt.Sprintf("the fleet's Redis, %s, has not answered for %s, so the relays of other hubs are not known", f.client.Server, ago(now, s.answered))
	}
	for _, p := range current {
		shown := f.peers.shown(p, current)
		switch {
		case f.peers.fresh(p, now):
		case p.heardUs == 0 && now.Sub(p.lastRead) < f.peers.expiry:
			return fmt.Sprintf("the hub %s was just found, and has yet to answer", shown)
		case !p.whole && now.Sub(p.lastRead) < f.peers.expiry:
			return fmt.Sprintf("some relays of the hub %s could not be read yet", shown)
		default:
			return fmt.Sprintf("the hub %s has not been heard of for %s; if it is gone for good, run `relayconf fleet forget --hub %s`",
				shown, ago(now, p.lastRead), p.Name)
		}
	}
	return ""
}

func ago(now, then time.Time) time.Duration { return max(0, now.Sub(then)).Round(time.Second) }

// viewKey identifies a view of this hub.
type viewKey struct {
	key      string
	protocol int
}

type presentView struct {
	grant *hub.Grant
	hub.View
}

// fromHere compares relays of other hubs with this hub's configuration: that of their own hub may be older.
func (f *Fleet) fromHere(relays []fleet.Relay) []fleet.Relay {
	ready := f.hub.Status().Ready
	views := map[viewKey]presentView{}
	for i := range relays {
		r := &relays[i]
		key := viewKey{r.Key, r.Protocol}
		v, known := views[key]
		if !known {
			if v.grant = f.hub.GrantNamed(r.Key); v.grant != nil && ready {
				v.View = v.grant.View(r.Protocol)
			}
			views[key] = v
		}
		theirs, behind := r.Want, r.Behind
		r.Grant, r.Want, r.Behind = v.grant, v.Digest, time.Time{}
		has := r.Applied
		if !r.Agent {
			has = r.Sent
		}
		switch {
		case has == r.Want || r.Want == "":
		case theirs == r.Want && !behind.IsZero():
			r.Behind = behind
		case v.Since.After(r.Since):
			r.Behind = v.Since
		default:
			r.Behind = r.Since
		}
	}
	return relays
}

// merge adds the relays of other hubs to those of this one. Of those with one name, the highest epoch wins; of an epoch,
// the relay that is connected.
func merge(local, others []fleet.Relay) []fleet.Relay {
	all := slices.Concat(local, others)
	best := map[string]fleet.Relay{}
	processes := map[[2]string]bool{}
	for _, r := range all {
		if !r.Agent {
			continue
		}
		processes[[2]string{r.Instance, r.Key}] = true
		before, known := best[r.Name]
		if !known || r.Epoch > before.Epoch || r.Epoch == before.Epoch && r.Connected && !before.Connected {
			best[r.Name] = r
		}
	}
	merged := make([]fleet.Relay, 0, len(best))
	for _, r := range best {
		merged = append(merged, r)
	}
	slices.SortFunc(merged, func(a, b fleet.Relay) int { return cmp.Compare(a.Name, b.Name) })
	var streams []fleet.Relay
	for _, r := range all {
		// The stream of a relay may be to another hub than its link.
		if !r.Agent && (r.Instance == "" || !processes[[2]string{r.Instance, r.Key}]) {
			streams = append(streams, r)
		}
	}
	slices.SortStableFunc(streams, func(a, b fleet.Relay) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Hub, b.Hub)) })
	return append(merged, streams...)
}
