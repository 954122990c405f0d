package filesource

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// entryInFile is an environment: its name and, if it is not 0, its version.
type entryInFile struct {
	name    string
	version int
}

func documentOf(items map[string]entryInFile) document {
	d := document{environments: map[string]item[envfactory.EnvironmentRep]{}, filters: map[string]item[envfactory.FilterRep]{}}
	for id, l := range items {
		d.environments[id] = item[envfactory.EnvironmentRep]{rep: envfactory.EnvironmentRep{
			EnvID: config.EnvironmentID(id), EnvName: l.name, Version: l.version}}
	}
	return d
}

func TestVersions(t *testing.T) {
	const now = 1_790_000_000
	for _, row := range []struct {
		name   string
		before map[string]versioned // a nil text stands for a deleted item, "a" for one with that name
		listed entryInFile          // no name: not listed
		want   int                  // 0: no change
	}{
		{"new: the time", nil, entryInFile{"a", 0}, now},
		{"new, with a smaller version in the file: the time", nil, entryInFile{"a", 7}, now},
		{"new, with a larger version in the file: that", nil, entryInFile{"a", now + 7}, now + 7},
		{"unchanged", known("a", 5), entryInFile{"a", 0}, 0},
		{"unchanged, with the same version in the file", known("a", 5), entryInFile{"a", 5}, 0},
		{"unchanged, with a smaller version in the file", known("a", 5), entryInFile{"a", 4}, 0},
		{"only the version in the file is larger", known("a", now), entryInFile{"a", now + 7}, now + 7},
		{"changed: the time", known("a", 5), entryInFile{"b", 0}, now},
		{"changed within a second: the next version", known("a", now), entryInFile{"b", 0}, now + 1},
		{"changed after the clock went back: the next version", known("a", now+9), entryInFile{"b", 0}, now + 10},
		{"changed, with a larger version in the file: that", known("a", now), entryInFile{"b", now + 7}, now + 7},
		{"changed, with the same version in the file: the next", known("a", now+7), entryInFile{"b", now + 7}, now + 8},
		{"removed: the time", known("a", 5), entryInFile{}, now},
		{"removed within a second: the next version", known("a", now), entryInFile{}, now + 1},
		{"removed long ago", map[string]versioned{"env": {5, nil}}, entryInFile{}, 0},
		{"back after a removal: the time", map[string]versioned{"env": {5, nil}}, entryInFile{"a", 0}, now},
		{"back within a second: above the tombstone", map[string]versioned{"env": {now, nil}}, entryInFile{"a", 0}, now + 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			inv := newInventory()
			for id, v := range row.before {
				inv.environments[id] = v
			}
			d := documentOf(nil)
			if row.listed.name != "" {
				d = documentOf(map[string]entryInFile{"env": row.listed})
			}
			changes, _ := inv.update(d, time.Unix(now, 999))
			if row.want == 0 {
				assert.Empty(t, changes)
				return
			}
			require.Len(t, changes, 1)
			assert.Equal(t, row.want, changes[0].Version)
			assert.Equal(t, row.want, inv.environments["env"].version)
			if row.listed.name == "" {
				assert.Equal(t, autoconfig.EnvironmentDeleted, changes[0].Kind)
				return
			}
			assert.Equal(t, autoconfig.EnvironmentChanged, changes[0].Kind)
			var rep envfactory.EnvironmentRep
			require.NoError(t, json.Unmarshal(changes[0].Text, &rep))
			assert.Equal(t, row.want, rep.Version)
			assert.Equal(t, row.listed.name, rep.EnvName)
			again, _ := inv.update(d, time.Unix(now+100, 0))
			assert.Empty(t, again, "a second read changes nothing")
		})
	}
}

func known(name string, version int) map[string]versioned {
	return map[string]versioned{"env": {version, documentOf(map[string]entryInFile{"env": {name, 0}}).environments["env"].text(version)}}
}

func TestAStoredInventoryGivesTheSameVersions(t *testing.T) {
	d := documentOf(map[string]entryInFile{"a": {"a", 0}, "b": {"b", 0}})
	d.filters["f"] = item[envfactory.FilterRep]{rep: envfactory.FilterRep{ProjKey: "web", FilterKey: "eu"}}
	inv := newInventory()
	inv.update(d, time.Unix(1_790_000_000, 0))
	delete(d.environments, "b")
	inv.update(d, time.Unix(1_790_000_001, 0))
	snapshot, err := inv.snapshot(time.Now(), time.Now())
	require.NoError(t, err)
	restarted := fromSnapshot(snapshot)
	changes, _ := restarted.update(d, time.Unix(1_790_000_100, 0))
	assert.Empty(t, changes)
	assert.Equal(t, inv.all(), restarted.all())
	assert.True(t, restarted.environments["b"].deleted(), "tombstones are stored, too")
}

func TestHubsThatShareAStoreComeToTheSameVersions(t *testing.T) {
	d := documentOf(map[string]entryInFile{"a": {"a", 0}, "b": {"b", 0}, "c": {"c", 0}})
	first, second := newInventory(), newInventory()
	first.update(d, time.Unix(1_790_000_001, 0))
	second.update(d, time.Unix(1_790_000_000, 0))
	assert.Len(t, second.adopt(d, first), 3)
	assert.Empty(t, first.adopt(d, second), "lower versions are not adopted")
	assert.Equal(t, first.all(), second.all())

	// One of them has a newer file: its items are not those of the other.
	newer := documentOf(map[string]entryInFile{"a": {"changed", 0}, "b": {"b", 0}, "c": {"c", 0}})
	first.update(newer, time.Unix(1_790_000_005, 0))
	assert.Empty(t, second.adopt(d, first))
	assert.Len(t, second.adopt(newer, first), 1, "once the file has come here, too")
	assert.Equal(t, first.all(), second.all())
}
