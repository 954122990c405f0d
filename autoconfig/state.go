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
	environments versioned[config.EnvironmentID, *envfactory.EnvironmentRep]
	filters      versioned[config.FilterID, *envfactory.FilterRep]
	expiries     expiryQueue
}

func newState() *state {
	return &state{
		environments: newVersioned[config.EnvironmentID, *envfactory.EnvironmentRep](),
		filters:      newVersioned[config.FilterID, *envfactory.FilterRep](),
	}
}

// change is one thing to tell the relay.
type change struct {
	kind   changeKind
	env    *envfactory.EnvironmentRep // of addEnvironment and updateEnvironment
	envID  config.EnvironmentID       // of deleteEnvironment
	filter envfactory.FilterParams    // of addFilter; of deleteFilter just its ID
	expiry *expiringKey               // of keyExpired
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
	changes  []change
	warnings []error // parts of the message that were left out
	// invalidKeys is set if an environment was left as it was because its keys make no sense. A new put may mend that.
	invalidKeys error
}

func (o *outcome) add(c change) { o.changes = append(o.changes, c) }

// apply takes one message.
func (s *state) apply(m message, now time.Time) outcome {
	var out outcome
	switch m := m.(type) {
	case putMessage:
		s.applyPut(m, now, &out)
	case patchMessage:
		s.takeEnvironment(m.id, m.rep, s.environments.newerThanKnown, now, &out)
	case filterPatchMessage:
		s.takeFilter(m.id, m.rep, s.filters.newerThanKnown, &out)
	case deleteMessage:
		s.applyDelete(m, &out)
	}
	return out
}

func (s *state) applyPut(m putMessage, now time.Time, out *outcome) {
	environments := make(map[config.EnvironmentID]struct{}, len(m.environments))
	for _, env := range m.environments {
		// What the put lists by its id is not missing from it, even if the rest of the entry can't be used: a mistake of
		// the service must not take an environment away.
		environments[env.id] = struct{}{}
		s.takeEnvironment(env.id, env.value, s.environments.newInPut, now, out)
	}
	filters := make(map[config.FilterID]struct{}, len(m.filters))
	for _, f := range m.filters {
		filters[f.id] = struct{}{}
		s.takeFilter(f.id, f.value, s.filters.newInPut, out)
	}
	for _, id := range s.environments.keepOnly(environments) {
		s.expiries.remove(id)
		out.add(change{kind: deleteEnvironment, envID: id})
	}
	for _, id := range s.filters.keepOnly(filters) {
		out.add(change{kind: deleteFilter, filter: envfactory.FilterParams{ID: id}})
	}
	out.add(change{kind: receivedAll})
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
			out.add(change{kind: deleteFilter, filter: envfactory.FilterParams{ID: id}})
		}
	}
}

// takeEnvironment adds or updates one environment, if isNews says that its version is one to take.
func (s *state) takeEnvironment(id config.EnvironmentID, rep envfactory.EnvironmentRep,
	isNews func(config.EnvironmentID, int) bool, now time.Time, out *outcome) {
	if rep.EnvID != id {
		out.warnings = append(out.warnings, fmt.Errorf("environment ignored: it is listed as %q, but its envID is %q",
			mask.Shorten(string(id)), mask.Shorten(string(rep.EnvID))))
		return
	}
	if !isNews(id, rep.Version) {
		return
	}
	if err := rep.ValidateKeys(); err != nil {
		out.invalidKeys = errors.Join(out.invalidKeys, err)
		return
	}
	kind := updateEnvironment
	if s.environments.set(id, rep.Version, &rep) == added {
		kind = addEnvironment
	}
	out.add(change{kind: kind, env: &rep})
	s.expiries.set(rep.ToParams(), now)
}

// takeFilter adds one filter, if isNews says that its version is one to take. A filter that is known has nothing to
// update but its version.
func (s *state) takeFilter(id config.FilterID, rep envfactory.FilterRep,
	isNews func(config.FilterID, int) bool, out *outcome) {
	if isNews(id, rep.Version) && s.filters.set(id, rep.Version, &rep) == added {
		out.add(change{kind: addFilter, filter: rep.ToParams(id)})
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
	for _, rep := range known {
		params = append(params, rep.ToParams().At(now))
	}
	return params
}
