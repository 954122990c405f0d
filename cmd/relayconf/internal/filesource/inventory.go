package filesource

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/envfactory"
)

// inventory is every item that relays may know, with its version. It is pure: it reads no file and no clock.
type inventory struct {
	environments map[string]versioned
	filters      map[string]versioned
}

// versioned is an item at a version. A deleted item has no text; its version is that of the deletion.
type versioned struct {
	version int
	text    json.RawMessage
}

func (v versioned) deleted() bool { return v.text == nil }

func newInventory() *inventory {
	return &inventory{environments: map[string]versioned{}, filters: map[string]versioned{}}
}

// update takes over the items of the files, and returns the changes, sorted by id. An item that changes, also by
// being removed, gets the larger of its known version plus 1 and the Unix time in seconds; a new item gets the time. So
// versions don't go back even if the inventory was lost. A version in a file counts if it is larger than that.
//
// unversioned are the items that changed without a new version, though a file gives them one.
func (inv *inventory) update(d document, now time.Time) (changes []autoconfig.Change, unversioned []string) {
	environments, unversioned := updateItems(inv.environments, d.environments, now,
		autoconfig.EnvironmentChanged, autoconfig.EnvironmentDeleted)
	filters, more := updateItems(inv.filters, d.filters, now, autoconfig.FilterChanged, autoconfig.FilterDeleted)
	return append(environments, filters...), append(unversioned, more...)
}

func updateItems[R envfactory.EnvironmentRep | envfactory.FilterRep](known map[string]versioned, items map[string]item[R],
	now time.Time, changed, deleted autoconfig.ChangeKind,
) (changes []autoconfig.Change, unversioned []string) {
	next := func(old versioned) int { return max(old.version+1, int(now.Unix())) }
	for _, id := range slices.Sorted(maps.Keys(items)) {
		i, old := items[id], known[id]
		if bytes.Equal(i.text(old.version), old.text) && i.version() <= old.version {
			continue
		}
		if i.version() != 0 && i.version() == old.version {
			unversioned = append(unversioned, id)
		}
		version := max(next(old), i.version())
		text := i.text(version)
		known[id] = versioned{version, text}
		changes = append(changes, autoconfig.Change{Kind: changed, ID: id, Version: version, Text: text})
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		old := known[id]
		if _, listed := items[id]; listed || old.deleted() {
			continue
		}
		known[id] = versioned{version: next(old)}
		changes = append(changes, autoconfig.Change{Kind: deleted, ID: id, Version: next(old)})
	}
	return changes, unversioned
}

// all returns the changes that lead from nothing to the inventory, tombstones included.
func (inv *inventory) all() []autoconfig.Change {
	changes := make([]autoconfig.Change, 0, len(inv.environments)+len(inv.filters))
	add := func(known map[string]versioned, changed, deleted autoconfig.ChangeKind) {
		for _, id := range slices.Sorted(maps.Keys(known)) {
			kind := changed
			if known[id].deleted() {
				kind = deleted
			}
			changes = append(changes, autoconfig.Change{Kind: kind, ID: id, Version: known[id].version, Text: known[id].text})
		}
	}
	add(inv.environments, autoconfig.EnvironmentChanged, autoconfig.EnvironmentDeleted)
	add(inv.filters, autoconfig.FilterChanged, autoconfig.FilterDeleted)
	return changes
}

// count returns how many environments and filters there are.
func (inv *inventory) count() (environments, filters int) {
	number := func(known map[string]versioned) (n int) {
		for _, v := range known {
			if !v.deleted() {
				n++
			}
		}
		return n
	}
	return number(inv.environments), number(inv.filters)
}
