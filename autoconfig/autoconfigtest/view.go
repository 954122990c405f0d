package autoconfigtest

import (
	"maps"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// view is the configuration as the service sees it, and as a new connection gets it.
type view struct {
	known        bool // there was a put
	environments table[config.EnvironmentID, envfactory.EnvironmentRep]
	filters      table[config.FilterID, envfactory.FilterRep]
}

func (v *view) put(content autoconfig.PutContent) {
	v.known = true
	v.environments.replace(content.Environments, func(rep envfactory.EnvironmentRep) int { return rep.Version })
	v.filters.replace(content.Filters, func(rep envfactory.FilterRep) int { return rep.Version })
}

// content returns a copy.
func (v *view) content(withFilters bool) autoconfig.PutContent {
	content := autoconfig.PutContent{Environments: maps.Clone(v.environments.entries)}
	if withFilters {
		content.Filters = maps.Clone(v.filters.entries)
	}
	return content
}

// table holds versioned entries. A change that is not newer than the newest seen leaves it alone, so that a
// test can send a stale patch without the service forgetting the truth.
type table[ID ~string, Rep any] struct {
	entries  map[ID]Rep
	versions map[ID]int // of the entries, and of those that were deleted
}

func (t *table[ID, Rep]) replace(entries map[ID]Rep, version func(Rep) int) {
	t.entries, t.versions = map[ID]Rep{}, map[ID]int{}
	for id, rep := range entries {
		t.entries[id], t.versions[id] = rep, version(rep)
	}
}

func (t *table[ID, Rep]) patch(id ID, rep Rep, version int) {
	if t.advance(id, version) {
		t.entries[id] = rep
	}
}

func (t *table[ID, Rep]) delete(id ID, version int) {
	if t.advance(id, version) {
		delete(t.entries, id)
	}
}

// advance reports whether the version is news, and remembers it. Before the first put there is nothing to change.
func (t *table[ID, Rep]) advance(id ID, version int) bool {
	if known, seen := t.versions[id]; t.versions == nil || seen && version <= known {
		return false
	}
	t.versions[id] = version
	return true
}
