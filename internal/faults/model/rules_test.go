package model

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// model is the reference: what a relay has to know and be told, by the rules alone. It is written to be read and
// compared with them; it is slow, and knows nothing of how the library does it.
type model struct {
	now          time.Time
	environments map[string]known[environment]
	filters      map[string]known[filter]
	expiring     []expiringKey

	calls []string // to be made by now

	up         bool // a connection is
	putSeen    bool // on any connection
	state      autoconfig.State
	lastError  autoconfig.ErrorKind
	keepAlives uint64
	opened     uint64
}

// known is an entry, or the tombstone of one.
type known[V any] struct {
	version int
	deleted bool
	value   V
}

type expiringKey struct {
	env, kind, key string
	at             time.Time
}

func newModel(now time.Time) *model {
	return &model{
		now: now, state: autoconfig.StateInitializing,
		environments: map[string]known[environment]{}, filters: map[string]known[filter]{},
	}
}

func (m *model) call(words ...string) { m.calls = append(m.calls, strings.Join(words, " ")) }

// take is for an event or a comment that comes on a connection that is up.
func (m *model) take(s step) {
	switch s := s.(type) {
	case comment:
		m.keepAlives++
		m.call("keepalive", s.text)
	case malformed:
		m.lost(autoconfig.ErrorKindInvalidData)
	case reconnect:
		m.lost("")
	case put:
		switch {
		case s.broken: // rule 7: nothing of it counts
			m.lost(autoconfig.ErrorKindInvalidData)
		case s.path == "/":
			m.putSeen = true
			m.handled(m.takePut(s))
		}
	case patch:
		if id, ok := idIn(s.path, "environments"); ok {
			m.handled(m.takeEnvironment(id, s.env, isNewer[environment]))
		}
	case filterPatch:
		if id, ok := idIn(s.path, "filters"); ok {
			m.takeFilter(id, s.filter, isNewer[filter])
			m.handled(true)
		}
	case remove:
		m.takeRemove(s)
	}
}

// handled is for an event that was understood. Rule 18: it makes the state valid, once there was a put. Rule 8: keys
// that contradict each other lead to a new connection.
func (m *model) handled(keysMakeSense bool) {
	if m.putSeen {
		m.state = autoconfig.StateValid
	}
	if !keysMakeSense {
		m.lost(autoconfig.ErrorKindInvalidData)
	}
}

// isNewer is rule 1.
func isNewer[V any](m map[string]known[V], id string, version int) bool {
	k, ok := m[id]
	return !ok || version > k.version
}

// isNewerOrBack is for entries of a put: the same version brings back what was deleted.
func isNewerOrBack[V any](m map[string]known[V], id string, version int) bool {
	return isNewer(m, id, version) || m[id].deleted && version == m[id].version
}

// takePut is rule 2. It is false if the keys of some environment are malformed.
func (m *model) takePut(p put) bool {
	keysMakeSense := true
	for _, e := range lastOfEach(p.environments) {
		keysMakeSense = m.takeEnvironment(e.id, e.value, isNewerOrBack[environment]) && keysMakeSense
	}
	for _, f := range lastOfEach(p.filters) {
		m.takeFilter(f.id, f.value, isNewerOrBack[filter])
	}
	for _, id := range missing(m.environments, p.environments) {
		if !m.environments[id].deleted {
			m.forgetKeys(id)
			m.call("delete", id)
		}
		delete(m.environments, id) // rules 3 and 4: a put leaves no tombstones
	}
	for _, id := range missing(m.filters, p.filters) {
		if !m.filters[id].deleted {
			m.call("delete filter", id)
		}
		delete(m.filters, id)
	}
	m.call("all")
	return keysMakeSense
}

// missing are the ids that the put does not list, sorted.
func missing[V any](all map[string]known[V], listed []member[V]) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(id string) bool {
		return slices.ContainsFunc(listed, func(m member[V]) bool { return m.id == id })
	})
}

// lastOfEach: of a name that an object has twice, the last value counts, in the place of the first.
func lastOfEach[V any](members []member[V]) (unique []member[V]) {
	for _, m := range members {
		at := slices.IndexFunc(unique, func(u member[V]) bool { return u.id == m.id })
		if at < 0 {
			unique = append(unique, m)
		} else {
			unique[at] = m
		}
	}
	return unique
}

// takeEnvironment is false if its keys are malformed.
func (m *model) takeEnvironment(id string, e environment,
	isNews func(map[string]known[environment], string, int) bool) bool {
	if e.id != id || !isNews(m.environments, id, e.version) { // rules 5 and 1
		return true
	}
	if e.malformed() {
		return false
	}
	before, ok := m.environments[id]
	m.environments[id] = known[environment]{version: e.version, value: e}
	if !ok || before.deleted {
		m.call("add", e.params(m.now))
	} else {
		m.call("update", e.params(m.now))
	}
	m.forgetKeys(id)
	m.rememberKeys(id, "sdk", e.acceptedSDKKeys())
	m.rememberKeys(id, "mobile", e.acceptedMobileKeys())
	return true
}

func (m *model) takeFilter(id string, f filter, isNews func(map[string]known[filter], string, int) bool) {
	if !isNews(m.filters, id, f.version) {
		return
	}
	before, ok := m.filters[id]
	m.filters[id] = known[filter]{version: f.version, value: f}
	if !ok || before.deleted {
		m.call("add filter", id, f.key)
	}
}

// takeRemove is rule 3.
func (m *model) takeRemove(r remove) {
	if id, ok := idIn(r.path, "environments"); ok {
		if isNewer(m.environments, id, r.version) {
			before, ok := m.environments[id]
			m.environments[id] = known[environment]{version: r.version, deleted: true}
			if ok && !before.deleted {
				m.forgetKeys(id)
				m.call("delete", id)
			}
		}
		m.handled(true)
	}
	if id, ok := idIn(r.path, "filters"); ok {
		if isNewer(m.filters, id, r.version) {
			before, ok := m.filters[id]
			m.filters[id] = known[filter]{version: r.version, deleted: true}
			if ok && !before.deleted {
				m.call("delete filter", id)
			}
		}
		m.handled(true)
	}
}

// idIn is rule 6.
func idIn(path, collection string) (string, bool) {
	id, ok := strings.CutPrefix(strings.TrimPrefix(path, "/"), collection+"/")
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// rememberKeys is rule 9: keys that have expired already make no call.
func (m *model) rememberKeys(env, kind string, keys []acceptedKey) {
	for _, key := range keys {
		if key.expiry.After(m.now) {
			m.expiring = append(m.expiring, expiringKey{env, kind, key.value, key.expiry})
		}
	}
}

// forgetKeys is rule 10: what is not listed any more does not expire, and neither does what belongs to an environment
// that is gone.
func (m *model) forgetKeys(env string) {
	m.expiring = slices.DeleteFunc(m.expiring, func(k expiringKey) bool { return k.env == env })
}

// advance lets time pass: rule 9.
func (m *model) advance(now time.Time) {
	m.now = now
	slices.SortFunc(m.expiring, func(a, b expiringKey) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.env, b.env), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
	for len(m.expiring) > 0 && !now.Before(m.expiring[0].at) {
		m.call(expiredCall(m.expiring[0]))
		m.expiring = m.expiring[1:]
	}
}

func expiredCall(k expiringKey) string {
	return strings.Join([]string{"expired", k.at.UTC().Format(time.RFC3339Nano), k.env, k.kind, k.key}, " ")
}

// connected is rule 13.
func (m *model) connected() {
	m.up = true
	m.opened++
}

// lost is for a connection that was dropped by either side, or could not be made; the kind is empty if it is no error.
func (m *model) lost(kind autoconfig.ErrorKind) {
	m.up = false
	if kind != "" {
		m.lastError = kind
	}
	if m.state == autoconfig.StateValid {
		m.state = autoconfig.StateInterrupted
	}
}

// view is every environment, sorted by id.
func (m *model) view() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(m.environments)) {
		if e := m.environments[id]; !e.deleted {
			all = append(all, e.value.params(m.now))
		}
	}
	return all
}
