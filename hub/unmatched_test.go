package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

func TestPatternsThatSelectNothing(t *testing.T) {
	s := newServer(t, changes{envIn("web", "prod", "a", 1), envIn("api", "test", "b", 1), filterChange("app", "f", 1)})
	require.NoError(t, s.SetKeys([]hub.Key{
		{Name: "all", Key: "rel-1"},
		{Name: "good", Key: "rel-2", Projects: []string{"w*", "app"}, Environments: []string{"api/*"}},
		{Name: "bad", Key: "rel-3", Projects: []string{"shop"}, Environments: []string{"web/test", "api/test"}},
	}))
	assert.Equal(t, []hub.UnmatchedPattern{{Key: "bad", Pattern: "shop"}, {Key: "bad", Pattern: "web/test"}}, s.UnmatchedPatterns())
	s.Changes(false, changes{deleted("b", 2)})
	assert.Contains(t, s.UnmatchedPatterns(), hub.UnmatchedPattern{Key: "good", Pattern: "api/*"}, "it is deleted")
}
