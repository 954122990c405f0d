package hub

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// kind is the kind of an item.
type kind = digest.Kind

const (
	environment = digest.Environment
	filter      = digest.Filter
)

// names decide who may see an item.
type names struct{ project, environment string }

// itemKey identifies an item.
type itemKey struct {
	kind kind
	id   string
}

// item is an environment or a filter that is known, or was.
type item struct {
	itemKey
	names
	version int    // of its deletion, if it was deleted
	text    []byte // nil unless it is live
	live    bool
	deleted bool // by a delete, so that relays have a tombstone at version

	// highest is the highest version that was sent, as one that was live or as a tombstone.
	highest int

	// returned: it came back at a version that is not above highest. Relays whose state is of a generation before clean
	// may hold a higher version, and keep it unless a put without the item comes first.
	returned bool
	clean    uint64

	goneAt uint64 // the generation of the last removal or deletion
}

// state is all that the hub knows, whoever may see it. It does no I/O and reads no clock.
type state struct {
	items        map[itemKey]*item
	environments int // live ones
	filters      int // live ones

	// generation counts the calls of Changes.
	generation uint64

	// gone are items that are not live, oldest first, as they went. Relays may still have them, so their versions are
	// remembered, but not for ever.
	gone      []departure
	goneItems int
}

type departure struct {
	item *item
	at   uint64
}

// maxGone is how many items are remembered that are no longer live.
const maxGone = 10_000

// step is a change of one item, as far as relays are concerned.
type step struct {
	item       *item
	how        way
	wasLive    bool
	before     names // while it was live
	oldVersion int   // while it was live
}

// way is how relays that have followed so far can be told of a step.
type way int

const (
	byNothing way = iota // they need not be told: at most the text has changed
	byPatch
	byDelete
	byPut
)

// input is a change with the names that its text holds.
type input struct {
	autoconfig.Change
	names names
}

func (in input) key() itemKey {
	switch in.Kind {
	case autoconfig.FilterChanged, autoconfig.FilterDeleted, autoconfig.FilterRemoved:
		return itemKey{filter, in.ID}
	}
	return itemKey{environment, in.ID}
}

// parse takes the names out of the texts of changes.
func parse(changes []autoconfig.Change) (inputs []input, rejected []error) {
	inputs = make([]input, 0, len(changes))
	for _, change := range changes {
		in := input{Change: change}
		if in.Text != nil {
			var err error
			if in.names, err = namesIn(in.Change); err != nil {
				// The error of package json is left out, as it may quote the text.
				rejected = append(rejected, fmt.Errorf("the text of %q is not a JSON object of the expected form; it was left out", in.ID))
				continue
			}
			in.Text = wire.OneLine(in.Text)
		}
		inputs = append(inputs, in)
	}
	return inputs, rejected
}

// namesIn takes the names out of the text of a change. What a filter has in other members is none of the hub's business.
func namesIn(change autoconfig.Change) (names, error) {
	if change.Kind != autoconfig.EnvironmentChanged {
		var text struct {
			ProjKey string `json:"projKey"`
		}
		err := json.Unmarshal(change.Text, &text)
		return names{project: text.ProjKey}, err
	}
	var text struct {
		ProjKey string `json:"projKey"`
		EnvKey  string `json:"envKey"`
	}
	err := json.Unmarshal(change.Text, &text)
	return names{text.ProjKey, text.EnvKey}, err
}

// apply applies one change. It returns false if that is nothing to anybody.
func (s *state) apply(in input) (step, bool) {
	it := s.items[in.key()]
	if it == nil {
		it = &item{itemKey: in.key(), highest: math.MinInt}
	}
	st := step{item: it, wasLive: it.live, before: it.names, oldVersion: it.version}
	switch in.Kind {
	case autoconfig.EnvironmentChanged, autoconfig.FilterChanged:
		st.how = s.set(it, in)
	case autoconfig.EnvironmentDeleted, autoconfig.FilterDeleted:
		st.how = s.delete(it, in.Version)
	case autoconfig.EnvironmentRemoved, autoconfig.FilterRemoved:
		st.how = s.remove(it)
	}
	return st, st.wasLive || it.live
}

// set makes an item live at a version.
func (s *state) set(it *item, in input) (how way) {
	switch {
	case it.live && in.Version == it.version:
		how = byNothing
	case in.Version > it.highest:
		how = byPatch
		it.returned = false
	default:
		how = byPut
		switch {
		case it.live && in.Version > it.version: // it has returned before, and is still below highest
		case it.deleted && in.Version == it.highest:
			// A put brings it back at exactly the tombstone's version, and nobody has a higher one.
			it.returned = false
		default:
			it.returned = true
			if it.live || in.Version < it.highest {
				// Relays that are up to date may hold a higher version, too: a relay that was resumed by the digest of a
				// state which the view has been in twice may have a tombstone from the first time.
				it.clean = s.generation
			}
		}
	}
	if !it.live {
		s.arrive(it)
	}
	it.version, it.text, it.names = in.Version, in.Text, in.names
	it.highest = max(it.highest, in.Version)
	return how
}

// delete leaves a tombstone. One for an item that no relay has is not sent to anyone.
func (s *state) delete(it *item, version int) way {
	if it.live && version <= it.version {
		return s.remove(it)
	}
	how := byNothing
	if it.live {
		how = byDelete
	}
	s.leave(it)
	if it.deleted { // a put has cleared the tombstone for the service, but relays may still have it
		version = max(version, it.version)
	}
	it.deleted, it.version = true, version
	it.highest = max(it.highest, version)
	return how
}

// remove leaves nothing: no relay that gets a put without the item has a tombstone of it.
func (s *state) remove(it *item) way {
	if !it.live {
		return byNothing
	}
	s.leave(it)
	it.deleted = false
	it.clean = s.generation
	return byPut
}

func (s *state) arrive(it *item) {
	if s.items[it.itemKey] != nil {
		s.goneItems--
	}
	s.items[it.itemKey] = it
	it.live, it.deleted = true, false
	s.count(it.kind, 1)
}

func (s *state) leave(it *item) {
	switch {
	case it.live:
		s.count(it.kind, -1)
	case s.items[it.itemKey] != nil:
		return // it is gone already
	}
	s.items[it.itemKey] = it
	it.live, it.text, it.returned, it.goneAt = false, nil, false, s.generation
	s.goneItems++
	s.gone = append(s.gone, departure{it, s.generation})
	if len(s.gone) > 2*maxGone {
		s.gone = slices.DeleteFunc(s.gone, departure.over)
	}
	for s.goneItems > maxGone {
		if oldest := s.gone[0]; !oldest.over() {
			delete(s.items, oldest.item.itemKey)
			s.goneItems--
		}
		s.gone = s.gone[1:]
	}
}

// over tells whether the item has come back since.
func (d departure) over() bool { return d.item.live || d.item.goneAt != d.at }

func (s *state) count(kind kind, n int) {
	if kind == environment {
		s.environments += n
	} else {
		s.filters += n
	}
}
