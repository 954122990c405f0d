package hub

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// selection says which items a key may see.
type selection struct {
	id           string // the same for equal selections
	projects     []string
	environments [][2]string // patterns of the project and of the environment
}

func newSelection(projects, environments []string) (selection, error) {
	if err := checkPatterns("project", projects); err != nil {
		return selection{}, err
	}
	s := selection{projects: slices.Compact(slices.Sorted(slices.Values(projects)))}
	environments = slices.Compact(slices.Sorted(slices.Values(environments)))
	for _, pattern := range environments {
		project, environment, ok := strings.Cut(pattern, "/")
		if !ok || strings.Contains(environment, "/") {
			return selection{}, fmt.Errorf("its environment pattern %q should look like project/environment", pattern)
		}
		if err := checkPatterns("environment", []string{project, environment}); err != nil {
			return selection{}, err
		}
		s.environments = append(s.environments, [2]string{project, environment})
	}
	s.id = strings.Join(s.projects, "\x00") + "\x00/" + strings.Join(environments, "\x00")
	return s, nil
}

func checkPatterns(kind string, patterns []string) error {
	for _, pattern := range patterns {
		if pattern == "" {
			return fmt.Errorf("it has an empty %s pattern; to match everything, write *", kind)
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("its %s pattern %q is malformed: a [ needs its ], and a backslash something after it", kind, pattern)
		}
	}
	return nil
}

// all tells whether the selection restricts nothing.
func (s selection) all() bool { return len(s.projects) == 0 && len(s.environments) == 0 }

// shows tells whether an item is selected, by its kind and its names.
func (s selection) shows(kind kind, names names) bool {
	if s.all() || matchesAny(s.projects, names.project) {
		return true
	}
	return slices.ContainsFunc(s.environments, func(pattern [2]string) bool {
		return matches(pattern[0], names.project) && (kind == filter || matches(pattern[1], names.environment))
	})
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// matches is path.Match for a pattern that was checked.
func matches(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok
}
