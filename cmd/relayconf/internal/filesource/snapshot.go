package filesource

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// snapshot returns the inventory in the form that stores keep.
func (inv *inventory) snapshot(now time.Time) (*autoconfig.Snapshot, error) {
	s := &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat,
		SavedAt:       now,
		Environments:  make(map[config.EnvironmentID]envfactory.EnvironmentRep, len(inv.environments)),
		Filters:       make(map[config.FilterID]envfactory.FilterRep, len(inv.filters)),
	}
	for id, v := range inv.environments {
		if v.deleted() {
			continue
		}
		var rep envfactory.EnvironmentRep
		if err := json.Unmarshal(v.text, &rep); err != nil {
			return nil, err
		}
		s.Environments[config.EnvironmentID(id)] = rep
	}
	for id, v := range inv.filters {
		if v.deleted() {
			continue
		}
		var rep envfactory.FilterRep
		if err := json.Unmarshal(v.text, &rep); err != nil {
			return nil, err
		}
		s.Filters[config.FilterID(id)] = rep
	}
	return s, nil
}

// fromSnapshot returns the inventory that was stored.
func fromSnapshot(s *autoconfig.Snapshot) *inventory {
	inv := newInventory()
	for id, rep := range s.Environments {
		inv.environments[string(id)] = versioned{rep.Version, item[envfactory.EnvironmentRep]{rep: rep}.text(rep.Version)}
	}
	for id, rep := range s.Filters {
		inv.filters[string(id)] = versioned{rep.Version, item[envfactory.FilterRep]{rep: rep}.text(rep.Version)}
	}
	return inv
}

// adopt takes over the versions that another hub has given to the items of the same files, where they are higher. It
// returns the changes.
func (inv *inventory) adopt(d document, other *inventory) []autoconfig.Change {
	return append(
		adoptItems(inv.environments, other.environments, d.environments, autoconfig.EnvironmentChanged),
		adoptItems(inv.filters, other.filters, d.filters, autoconfig.FilterChanged)...)
}

func adoptItems[R envfactory.EnvironmentRep | envfactory.FilterRep](own, others map[string]versioned, items map[string]item[R],
	changed autoconfig.ChangeKind,
) (changes []autoconfig.Change) {
	for _, id := range slices.Sorted(maps.Keys(items)) {
		theirs, found := others[id]
		if found && theirs.version > own[id].version && bytes.Equal(theirs.text, items[id].text(theirs.version)) {
			own[id] = theirs
			changes = append(changes, autoconfig.Change{Kind: changed, ID: id, Version: theirs.version, Text: theirs.text})
		}
	}
	return changes
}
