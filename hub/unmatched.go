package hub

import "slices"

// UnmatchedPattern is a pattern of a key that selects nothing at the moment.
type UnmatchedPattern struct {
	Key     string // the name of the key
	Pattern string // one of its Projects or Environments
}

// UnmatchedPatterns returns the patterns of all keys that select nothing at the moment, in the order of the keys: they may be
// mistyped. It looks at every item of the hub.
func (h *Hub) UnmatchedPatterns() (unmatched []UnmatchedPattern) {
	h.mu.Lock()
	known := map[names]struct{}{}
	for _, it := range h.state.items {
		if it.live {
			known[names{it.project, it.environment}] = struct{}{}
		}
	}
	grants := slices.Clone(h.grants)
	h.mu.Unlock()

	projects := map[string]struct{}{}
	for n := range known {
		projects[n.project] = struct{}{}
	}
	for _, g := range grants {
		for _, pattern := range g.selection.projects {
			if !matchesOne(projects, func(project string) bool { return matches(pattern, project) }) {
				unmatched = append(unmatched, UnmatchedPattern{g.name, pattern})
			}
		}
		for _, pattern := range g.selection.environments {
			if !matchesOne(known, func(n names) bool { return matches(pattern[0], n.project) && matches(pattern[1], n.environment) }) {
				unmatched = append(unmatched, UnmatchedPattern{g.name, pattern[0] + "/" + pattern[1]})
			}
		}
	}
	return unmatched
}

func matchesOne[K comparable](all map[K]struct{}, match func(K) bool) bool {
	for one := range all {
		if match(one) {
			return true
		}
	}
	return false
}
