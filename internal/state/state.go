package state

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/wire"
)

// State is the known configuration. Apply and Expire change it; the other methods only read. It has no lock of its own.
type State struct {
	environments set
	filters      set
	expiries     expiryQueue
}

// New returns an empty state.
func New() *State {
	return &State{
		environments: newSet(digest.Environment, kinds{
			EnvironmentAdded, EnvironmentUpdated, EnvironmentRewritten, EnvironmentDeleted, EnvironmentRemoved}),
		filters: newSet(digest.Filter, kinds{
			FilterAdded, FilterUpdated, FilterRewritten, FilterDeleted, FilterRemoved}),
	}
}

// Apply applies a message and returns its outcome.
func (s *State) Apply(message wire.Message, now time.Time) Outcome {
	var out Outcome
	switch m := message.(type) {
	case *wire.Put:
		s.applyPut(m, now, &out)
	case *wire.Patch:
		s.applyPatch(m, now, &out)
	case *wire.Delete:
		s.applyDelete(m, &out)
	}
	return out
}

func (s *State) applyPatch(m *wire.Patch, now time.Time, out *Outcome) {
	set := s.setOf(m.Kind)
	known := set.find(m.Item.ID, m.Item.Hash)
	switch {
	case m.Item.Misplaced:
		out.misplaced(&m.Item)
	case known != nil && m.Item.Version <= known.version:
		out.stale(known, m.Item.Version)
	default:
		s.store(set, known, &m.Item, now, out)
	}
}

func (s *State) applyDelete(m *wire.Delete, out *Outcome) {
	set := s.setOf(m.Kind)
	hash := wire.Hash(wire.View(m.ID))
	known := set.find(m.ID, hash)
	if known == nil {
		known = set.add(m.ID, hash)
	} else if m.Version <= known.version {
		out.stale(known, m.Version)
		return
	}
	out.add(Change{Kind: set.kinds.deleted, ID: known.id, Version: m.Version, Old: known.text})
	set.bury(known, m.Version)
	if m.Kind == wire.Environment {
		s.expiries.remove(config.EnvironmentID(m.ID))
	}
}

func (s *State) setOf(kind wire.Kind) *set {
	if kind == wire.Filter {
		return &s.filters
	}
	return &s.environments
}

// store adds or updates an item. The known place may be nil. It returns false, and changes nothing, if the item is an
// environment whose keys contradict each other.
func (s *State) store(set *set, known *item, fresh *wire.Item, now time.Time, out *Outcome) bool {
	if set == &s.environments && !s.acceptKeys(fresh, now, out) {
		return false
	}
	if known == nil {
		known = set.add(fresh.ID, fresh.Hash)
	}
	kind := set.kinds.added
	if known.text != "" {
		kind = set.kinds.updated
	}
	out.add(Change{Kind: kind, ID: known.id, Version: fresh.Version, Fresh: fresh, Old: known.text})
	set.store(known, fresh)
	return true
}

// acceptKeys validates the keys of an environment and notes which of them expire.
func (s *State) acceptKeys(fresh *wire.Item, now time.Time, out *Outcome) bool {
	if fresh.Plain {
		s.expiries.remove(config.EnvironmentID(fresh.ID))
		return true
	}
	rep := fresh.Environment()
	if err := rep.ValidateKeys(); err != nil {
		out.InvalidKeys = errors.Join(out.InvalidKeys, err)
		return false
	}
	s.expiries.set(rep.ToParams(), now)
	return true
}

// Expire yields the keys whose time has come, the earliest first.
func (s *State) Expire(now time.Time) []Change {
	var changes []Change
	for {
		key, ok := s.expiries.pop(now)
		if !ok {
			return changes
		}
		changes = append(changes, Change{Kind: KeyExpired, ID: string(key.Environment), Key: key})
	}
}

// NextExpiry is when Expire will next have a key to yield.
func (s *State) NextExpiry() (time.Time, bool) { return s.expiries.next() }

// Known tells the decoder of a put which environments are known. It is valid until the next call of Apply.
func (s *State) Known() wire.Known { return &s.environments }

// Environments is how many environments are known.
func (s *State) Environments() int { return s.environments.live }

// Revision grows with each change that a snapshot shows.
func (s *State) Revision() uint64 { return s.environments.revision + s.filters.revision }

// Digest is the digest of the known environments and filters.
func (s *State) Digest() digest.Digest { return s.environments.digest.Plus(s.filters.digest) }

// Item is a known item, or, if it has no text, a tombstone.
type Item struct {
	ID      string
	Version int
	Text    string
}

// All yields the known items of one kind and the tombstones, in no particular order.
func (s *State) All(kind wire.Kind) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, known := range s.setOf(kind).items {
			if !yield(Item{known.id, known.version, known.text}) {
				return
			}
		}
	}
}

// Params returns the known environments, sorted by id. Keys that have expired are left out.
func (s *State) Params(now time.Time) []envfactory.EnvironmentParams {
	params := make([]envfactory.EnvironmentParams, 0, s.environments.live)
	for known := range s.All(wire.Environment) {
		if known.Text == "" {
			continue
		}
		if rep, err := wire.DecodeEnvironment(known.Text); err == nil { // it was decoded before
			params = append(params, rep.ToParams().At(now))
		}
	}
	slices.SortFunc(params, func(a, b envfactory.EnvironmentParams) int { return strings.Compare(string(a.EnvID), string(b.EnvID)) })
	return params
}

// FilterParams returns the known filters, sorted by id.
func (s *State) FilterParams() []envfactory.FilterParams {
	params := make([]envfactory.FilterParams, 0, s.filters.live)
	for known := range s.All(wire.Filter) {
		if known.Text == "" {
			continue
		}
		if rep, err := wire.DecodeFilter(known.Text); err == nil { // it was decoded before
			params = append(params, rep.ToParams(config.FilterID(known.ID)))
		}
	}
	slices.SortFunc(params, func(a, b envfactory.FilterParams) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return params
}

func (o *Outcome) add(c Change) { o.Changes = append(o.Changes, c) }

func (o *Outcome) stale(known *item, version int) {
	o.Stale = append(o.Stale, Stale{ID: known.id, Version: version, Known: known.version})
}

func (o *Outcome) misplaced(fresh *wire.Item) {
	o.Ignored = append(o.Ignored, fmt.Errorf("environment ignored: it is listed as %q, but its envID is %q",
		mask.Shorten(fresh.ID), mask.Shorten(string(fresh.Environment().EnvID))))
}
