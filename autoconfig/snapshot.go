package autoconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/wire"
)

// applySnapshot puts a stored configuration in force: a put of its items, then its tombstones.
func (r *runner) applySnapshot(snapshot *Snapshot, now time.Time) {
	put, tombstones, err := snapshot.messages()
	if err != nil {
		r.m.loadFailed(err)
		return
	}
	r.m.mu.Lock()
	r.m.status.confirmedAt = snapshot.LastConfirmed()
	out := r.m.state.Apply(put, now)
	for _, tombstone := range tombstones {
		out.Changes = append(out.Changes, r.m.state.Apply(tombstone, now).Changes...)
	}
	r.m.applied.pending = out.Changes
	r.m.status.Source = SourceStore
	r.m.needsPut = snapshot.Digest != r.m.state.Digest().String()
	r.m.mu.Unlock()
	r.endHeadStart() // before the handler's calls, which may be slow
	r.tell(true, out, now)
}

// messages makes a put of the snapshot, in the order of the ids, and a delete of each tombstone. Items without a text are
// those of a snapshot of an older version.
func (s *Snapshot) messages() (*wire.Put, []*wire.Delete, error) {
	texts, tombstones := s.Texts, s.Tombstones
	if texts == nil {
		texts = &SnapshotTexts{}
	}
	if tombstones == nil {
		tombstones = &SnapshotTombstones{}
	}
	put := &wire.Put{}
	var err error
	if put.Environments, err = entries(s.Environments, texts.Environments, wire.EnvironmentItem); err != nil {
		return nil, nil, err
	}
	if put.Filters, err = entries(s.Filters, texts.Filters, wire.FilterItem); err != nil {
		return nil, nil, err
	}
	deletes := deletesOf(wire.Environment, tombstones.Environments)
	return put, append(deletes, deletesOf(wire.Filter, tombstones.Filters)...), nil
}

// entries makes a put's entries of stored items: of their texts where there are some.
func entries[ID ~string, Rep any](reps map[ID]Rep, texts map[ID]string, item func(id, text string) (wire.Item, error)) (entries wire.Entries, err error) {
	for _, id := range slices.Sorted(maps.Keys(reps)) {
		text, ok := texts[id]
		if !ok {
			marshalled, err := json.Marshal(reps[id])
			if err != nil {
				return entries, err
			}
			text = string(marshalled)
		}
		entry, err := item(string(id), text)
		if err != nil {
			return entries, fmt.Errorf("its text of %q is damaged: %w", string(id), err)
		}
		entry.Provisional = !ok
		entries.Add(wire.Entry{Item: entry})
	}
	return entries, nil
}

func deletesOf[ID ~string](kind wire.Kind, versions map[ID]int) []*wire.Delete {
	deletes := make([]*wire.Delete, 0, len(versions))
	for _, id := range slices.Sorted(maps.Keys(versions)) {
		deletes = append(deletes, &wire.Delete{Kind: kind, ID: string(id), Version: versions[id]})
	}
	return deletes
}

// snapshot is the known configuration for the store.
func (m *StreamManager) snapshot() *Snapshot {
	m.mu.RLock()
	environments := slices.Collect(m.state.All(wire.Environment))
	filters := slices.Collect(m.state.All(wire.Filter))
	confirmedAt := m.status.lastConfirmed()
	digest := ""
	if !m.needsPut {
		digest = m.state.Digest().String()
	}
	m.mu.RUnlock()
	s := &Snapshot{
		FormatVersion: SnapshotFormat,
		SavedAt:       time.Now().UTC(),
		ConfirmedAt:   confirmedAt.UTC(),
		Environments:  make(map[config.EnvironmentID]envfactory.EnvironmentRep, len(environments)),
		Filters:       make(map[config.FilterID]envfactory.FilterRep, len(filters)),
		Texts: &SnapshotTexts{
			Environments: make(map[config.EnvironmentID]string, len(environments)),
			Filters:      make(map[config.FilterID]string, len(filters)),
		},
		Tombstones: &SnapshotTombstones{
			Environments: map[config.EnvironmentID]int{},
			Filters:      map[config.FilterID]int{},
		},
		Digest: digest,
	}
	for _, known := range environments {
		addTo(s.Environments, s.Texts.Environments, s.Tombstones.Environments, known, wire.DecodeEnvironment)
	}
	for _, known := range filters {
		addTo(s.Filters, s.Texts.Filters, s.Tombstones.Filters, known, wire.DecodeFilter)
	}
	return s
}

// addTo adds a known item, or a tombstone, to the maps of a snapshot.
func addTo[ID ~string, Rep any](reps map[ID]Rep, texts map[ID]string, tombstones map[ID]int, known state.Item, decode func(string) (Rep, error)) {
	id := ID(known.ID)
	if known.Text == "" {
		tombstones[id] = known.Version
		return
	}
	reps[id], _ = decode(known.Text) // it was decoded before
	texts[id] = known.Text
}
