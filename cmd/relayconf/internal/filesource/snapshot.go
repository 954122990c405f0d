package filesource

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// snapshot returns the inventory in the form that stores keep. It was confirmed by the files at a certain time.
func (inv *inventory) snapshot(confirmed, now time.Time) (*autoconfig.Snapshot, error) {
	s := &autoconfig.Snapshot{FormatVersion: autoconfig.SnapshotFormat, SavedAt: now, ConfirmedAt: confirmed,
		Texts: &autoconfig.SnapshotTexts{}, Tombstones: &autoconfig.SnapshotTombstones{}}
	var err, filterErr error
	s.Environments, s.Texts.Environments, s.Tombstones.Environments, err =
		storedItems[config.EnvironmentID, envfactory.EnvironmentRep](inv.environments)
	s.Filters, s.Texts.Filters, s.Tombstones.Filters, filterErr =
		storedItems[config.FilterID, envfactory.FilterRep](inv.filters)
	return s, errors.Join(err, filterErr)
}

func storedItems[ID ~string, R envfactory.EnvironmentRep | envfactory.FilterRep](known map[string]versioned) (
	reps map[ID]R, texts map[ID]string, tombstones map[ID]int, err error,
) {
	reps, texts, tombstones = make(map[ID]R, len(known)), make(map[ID]string, len(known)), map[ID]int{}
	for id, v := range known {
		if v.deleted() {
			tombstones[ID(id)] = v.version
			continue
		}
		var rep R
		if err := json.Unmarshal(v.text, &rep); err != nil {
			return nil, nil, nil, err
		}
		reps[ID(id)], texts[ID(id)] = rep, string(v.text)
	}
	return reps, texts, tombstones, nil
}

// fromSnapshot returns the inventory that was stored.
func fromSnapshot(s *autoconfig.Snapshot) *inventory {
	texts, tombstones := s.Texts, s.Tombstones
	if texts == nil {
		texts = &autoconfig.SnapshotTexts{}
	}
	if tombstones == nil {
		tombstones = &autoconfig.SnapshotTombstones{}
	}
	return &inventory{
		environments: knownItems(s.Environments, texts.Environments, tombstones.Environments),
		filters:      knownItems(s.Filters, texts.Filters, tombstones.Filters),
	}
}

func knownItems[ID ~string, R envfactory.EnvironmentRep | envfactory.FilterRep](reps map[ID]R, texts map[ID]string,
	tombstones map[ID]int,
) map[string]versioned {
	known := make(map[string]versioned, len(reps)+len(tombstones))
	for id, rep := range reps {
		stored := item[R]{rep: rep}
		text := []byte(texts[id])
		if len(text) == 0 {
			text = stored.text(stored.version())
		}
		known[string(id)] = versioned{stored.version(), text}
	}
	for id, version := range tombstones {
		known[string(id)] = versioned{version: version}
	}
	return known
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
