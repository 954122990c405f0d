package hubmodel

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/internal/digest"
)

// known is an environment as a relay or a manager knows it.
type known struct {
	version int
	project string
	deleted bool // a tombstone
}

// configuration follows the rules of autoconfig about versions, tombstones and puts, written once more. It yields the
// changes that a manager reports.
type configuration map[string]known

func (c configuration) patch(id string, k known) []autoconfig.Change {
	if before, ok := c[id]; ok && k.version <= before.version {
		return nil
	}
	return c.set(id, k)
}

func (c configuration) delete(id string, version int) []autoconfig.Change {
	if before, ok := c[id]; ok && version <= before.version {
		return nil
	}
	c[id] = known{version: version, deleted: true}
	return []autoconfig.Change{{Kind: autoconfig.EnvironmentDeleted, ID: id, Version: version}}
}

func (c configuration) put(all configuration) (changes []autoconfig.Change) {
	for _, id := range slices.Sorted(maps.Keys(all)) {
		before, ok := c[id]
		if now := all[id]; !ok || now.version > before.version || now.version == before.version && before.deleted {
			changes = append(changes, c.set(id, now)...)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c)) {
		if _, listed := all[id]; listed {
			continue
		}
		if !c[id].deleted {
			changes = append(changes, autoconfig.Change{Kind: autoconfig.EnvironmentRemoved, ID: id})
		}
		delete(c, id)
	}
	return changes
}

func (c configuration) set(id string, k known) []autoconfig.Change {
	c[id] = k
	return []autoconfig.Change{{Kind: autoconfig.EnvironmentChanged, ID: id, Version: k.version, Text: k.text(id)}}
}

func (k known) text(id string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"envID":%q,"projKey":%q,"sdkKey":{"value":"sdk-%s"},"version":%d}`, id, k.project, id, k.version))
}

// all yields the whole of it, as a manager reports a configuration from a store.
func (c configuration) all() (changes []autoconfig.Change) {
	for _, id := range slices.Sorted(maps.Keys(c)) {
		if c[id].deleted {
			changes = append(changes, autoconfig.Change{Kind: autoconfig.EnvironmentDeleted, ID: id, Version: c[id].version})
		} else {
			changes = append(changes, autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: c[id].version,
				Text: c[id].text(id)})
		}
	}
	return changes
}

// live returns the versions of the environments in a project; in all, if it is empty.
func (c configuration) live(project string) map[string]int {
	versions := map[string]int{}
	for id, k := range c {
		if !k.deleted && (project == "" || k.project == project) {
			versions[id] = k.version
		}
	}
	return versions
}

func (c configuration) digest() string {
	var d digest.Digest
	for id, version := range c.live("") {
		d.Add(digest.Environment, id, version)
	}
	return d.String()
}
