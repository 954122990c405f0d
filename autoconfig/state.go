package autoconfig

import (
	"errors"
	"fmt"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/mask"
)

// state is what is known of the configuration. It takes messages and yields the changes that they make. It does no
// I/O, and the time is passed in, so that every rule about the data can be tested as a table.
type state struct {
	environments versioned[config.EnvironmentID, environment]
	filters      versioned[config.FilterID, envfactory.FilterRep]
	expiries     expiryQueue

	few [4]change // what a message leads to that does not lead to more
}

func newState() *state {
	return &state{
		environments: newVersioned[config.EnvironmentID, environment](),
		filters:      newVersioned[config.FilterID, envfactory.FilterRep](),
	}
}

// change is one thing to tell the relay.
type change struct {
	kind   changeKind
	env    *item[environment]       // of addEnvironment and updateEnvironment; as it is until the next message
	envID  config.EnvironmentID     // of deleteEnvironment
	filter *envfactory.FilterParams // of addFilter; of deleteFilter just its ID
	expiry *expiringKey             // of keyExpired
}

type changeKind int

const (
	addEnvironment changeKind = iota
	updateEnvironment
	deleteEnvironment
	receivedAll
	addFilter
	deleteFilter
	keyExpired
)

// outcome is what a message led to.
type outcome struct {
	changes  []change // valid until the next message
	warnings []error  // parts of the message that were left out
	// invalidKeys is set if an environment was left as it was because its keys make no sense. A new put may mend that.
	invalidKeys error
}

func (o *outcome) add(c change) { o.changes = append(o.changes, c) }

// apply takes one message.
func (s *state) apply(m message, now time.Time) outcome {
	out := outcome{changes: s.few[:0]}
	switch m := m.(type) {
	case putMessage:
		s.applyPut(m, now, &out)
	case patchMessage:
		s.applyPatch(m, now, &out)
	case filterPatchMessage:
		known := s.filters.items[m.id]
		if known.newerThanKnown(m.fresh.version) {
			s.takeFilter(m.id, known, m.fresh, &out)
		}
	case deleteMessage:
		s.applyDelete(m, &out)
	}
	return out
}

func (s *state) applyPut(m putMessage, now time.Time, out *outcome) {
	s.environments.resolve(m.environments)
	out.changes = make([]change, 0, len(m.environments.items)+1)
	for i := range m.environments.items {
		// What the put lists by its id is not missing from it, even if the rest of the entry can't be used: a mistake of
		// the service must not take an environment away.
		entry := &m.environments.items[i]
		if !s.takeListed(entry, now, out) {
			s.environments.reject(m.environments, entry)
		}
	}
	s.filters.resolve(m.filters)
	for _, f := range m.filters.items {
		if f.known.newInPut(f.fresh.version) {
			s.takeFilter(f.id, f.known, f.fresh, out)
		}
	}
	for _, id := range s.environments.keepOnly(m.environments) {
		s.expiries.remove(id)
		out.add(change{kind: deleteEnvironment, envID: id})
	}
	for _, id := range s.filters.keepOnly(m.filters) {
		out.add(change{kind: deleteFilter, filter: &envfactory.FilterParams{ID: id}})
	}
	out.add(change{kind: receivedAll})
}

// takeListed takes an environment of a put if it is news. It returns false if the entry can't be used.
func (s *state) takeListed(entry *listed[config.EnvironmentID, environment], now time.Time, out *outcome) bool {
	known, fresh := entry.known, entry.fresh
	switch {
	case !s.isUnderItsID(entry.id, fresh, out):
		return false
	case known.newInPut(fresh.version):
		return s.takeEnvironment(entry.id, known, fresh, now, out)
	case known.status == live:
		// This text is no news next time either.
		known.value.textHash, known.value.textLength = fresh.value.textHash, fresh.value.textLength
	}
	return true
}

func (s *state) applyPatch(m patchMessage, now time.Time, out *outcome) {
	known := s.environments.items[m.id]
	if s.isUnderItsID(m.id, m.fresh, out) && known.newerThanKnown(m.fresh.version) {
		s.takeEnvironment(m.id, known, m.fresh, now, out)
	}
}

func (s *state) applyDelete(m deleteMessage, out *outcome) {
	switch m.target.kind {
	case environmentTarget:
		id := config.EnvironmentID(m.target.id)
		if s.environments.delete(id, m.version) == deleted {
			s.expiries.remove(id)
			out.add(change{kind: deleteEnvironment, envID: id})
		}
	case filterTarget:
		id := config.FilterID(m.target.id)
		if s.filters.delete(id, m.version) == deleted {
			out.add(change{kind: deleteFilter, filter: &envfactory.FilterParams{ID: id}})
		}
	}
}

// isUnderItsID says whether an environment has the id that it is listed as.
func (s *state) isUnderItsID(id config.EnvironmentID, fresh *item[environment], out *outcome) bool {
	if fresh.value.id() == id {
		return true
	}
	out.warnings = append(out.warnings, fmt.Errorf("environment ignored: it is listed as %q, but its envID is %q",
		mask.Shorten(string(id)), mask.Shorten(string(fresh.value.id()))))
	return false
}

// takeEnvironment adds or updates one environment. It returns false if its keys make no sense.
func (s *state) takeEnvironment(id config.EnvironmentID, known, fresh *item[environment], now time.Time, out *outcome) bool {
	if err := fresh.value.validateKeys(); err != nil {
		out.invalidKeys = errors.Join(out.invalidKeys, err)
		return false
	}
	kind := updateEnvironment
	if s.environments.set(id, known, fresh) == added {
		kind = addEnvironment
	}
	if known == nil {
		known = fresh
	}
	out.add(change{kind: kind, env: known})
	if fresh.value.mayExpire() {
		s.expiries.set(fresh.value.rep(fresh.version).ToParams(), now)
	} else {
		s.expiries.remove(id)
	}
	return true
}

// takeFilter adds one filter. A filter that is known has nothing to update but its version.
func (s *state) takeFilter(id config.FilterID, known, fresh *item[envfactory.FilterRep], out *outcome) {
	if s.filters.set(id, known, fresh) == added {
		params := fresh.value.ToParams(id)
		out.add(change{kind: addFilter, filter: &params})
	}
}

// expire yields the keys whose time has come, the earliest first.
func (s *state) expire(now time.Time) []change {
	var changes []change
	for {
		key, ok := s.expiries.pop(now)
		if !ok {
			return changes
		}
		changes = append(changes, change{kind: keyExpired, expiry: key})
	}
}

// nextExpiry is when expire will next have something to yield.
func (s *state) nextExpiry() (time.Time, bool) { return s.expiries.next() }

// revision grows with each change that a snapshot would show.
func (s *state) revision() uint64 { return s.environments.revision + s.filters.revision }

// params returns what is known of the environments, sorted by id.
func (s *state) params(now time.Time) []envfactory.EnvironmentParams {
	known := s.environments.all()
	params := make([]envfactory.EnvironmentParams, 0, len(known))
	for _, env := range known {
		params = append(params, env.value.params(env.version, now))
	}
	return params
}
