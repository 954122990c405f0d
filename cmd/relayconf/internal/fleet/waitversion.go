package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/relayconf/relayconf/hub"
)

// viewVersions returns the versions of the view of a connected relay. They are looked up once for each configuration.
func (w *waiter) viewVersions(r Relay) (hub.Versions, bool) {
	if r.Grant == nil || r.Want == "" {
		return hub.Versions{}, false
	}
	if v, known := w.versions[r.Want]; known {
		return v, true
	}
	v := r.Grant.Versions(r.Protocol)
	const most = 100 // configurations; more only if upstream never rests
	if len(w.versions) >= most {
		clear(w.versions)
	}
	w.versions[v.Digest] = v
	return v, true
}

// concerned leaves out the relays whose keys do not show the environment, if others' do. Those that were named stay.
func (w *waiter) concerned(relays []Relay) []Relay {
	if w.condition.Environment == "" || w.named != nil {
		return relays
	}
	blind, shown := map[int]bool{}, false // by index: a relay without agent may be shown under the name of another one
	for i, r := range relays {
		v, ok := w.viewVersions(r)
		if !ok {
			continue
		}
		version, has := v.Environments[w.condition.Environment]
		shown = shown || has && version >= w.condition.Version
		if !has {
			blind[i] = true
		}
	}
	if !shown {
		return relays // the hub may not have it yet, so nobody can be left out
	}
	var concerned []Relay
	for i, r := range relays {
		if !blind[i] {
			concerned = append(concerned, r)
		}
	}
	return concerned
}

// lacksVersion says why a connected relay does not have the version of the environment; empty if it does. Of a relay in sync
// the hub knows; another one is asked.
func (w *waiter) lacksVersion(ctx context.Context, r Relay) string {
	has := r.Applied
	if !r.Agent {
		has = r.Sent
	}
	if v, ok := w.viewVersions(r); ok && has != "" && has == v.Digest {
		version, known := v.Environments[w.condition.Environment]
		return w.lacksAsKnown(int64(version), known)
	}
	if !r.Agent {
		return "was not sent everything yet"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.asked[r.Name]
	if a != nil && a.epoch == r.Epoch && a.digest == r.Applied && !a.at.IsZero() && !a.failed {
		return w.lacksAsKnown(a.version, a.known)
	}
	// The answer may be ahead of the report, so it is given a moment before the relay is asked again.
	if a == nil || !a.at.IsZero() && (a.epoch != r.Epoch || a.wanted != r.Applied || time.Since(a.at) >= waitPeriod) {
		w.ask(ctx, r)
	}
	return "has yet to say which version it has"
}

func (w *waiter) lacksAsKnown(version int64, known bool) string {
	switch {
	case !known:
		return "does not have the environment, or is just being told of it"
	case version < int64(w.condition.Version):
		return fmt.Sprintf("has version %d of the environment", version)
	default:
		return ""
	}
}
