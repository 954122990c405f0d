package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// members returns the names of the members that a value has as JSON, sorted.
func members(t *testing.T, value any) []string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var object map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &object))
	return slices.Sorted(maps.Keys(object))
}

// Programs read these names. One may be added, here and in docs/fleet.md; none goes away, and none is absent if there is
// nothing to say.
func TestTheMembersOfJSONStayAsTheyAre(t *testing.T) {
	now := time.Now()
	relay := relayJSON(Relay{}, now)
	assert.Equal(t, []string{"address", "agent", "behindSeconds", "connected", "digest", "hub", "inSync", "key", "name", "roundTripSeconds",
		"sent", "since", "status", "version", "wantDigest"}, members(t, relay))
	assert.Nil(t, relay.Status)
	assert.Nil(t, relay.BehindSeconds)
	assert.Nil(t, relay.RoundTripSeconds)

	relay = relayJSON(Relay{Behind: now.Add(-90 * time.Second), RoundTrip: 12 * time.Millisecond, Status: &agentpb.Status{State: "VALID"}}, now)
	assert.InDelta(t, 90, *relay.BehindSeconds, 0.001)
	assert.InDelta(t, 0.012, *relay.RoundTripSeconds, 1e-9)
	assert.Subset(t, members(t, relay.Status), []string{"compressed", "connections", "environments", "resumed", "source", "state"})

	assert.Equal(t, []string{"complete", "hub", "relays"}, members(t, listJSON(Overview{}, now)))
	list := listJSON(Overview{Incomplete: "Redis is down", Hubs: []Hub{{}}}, now)
	assert.Equal(t, []string{"complete", "hub", "hubs", "incomplete", "relays"}, members(t, list))
	assert.False(t, list.Complete)
	assert.Equal(t, []string{"connected", "name", "since"}, members(t, list.Hubs[0]))

	assert.Equal(t, []string{"done", "missing", "problem", "result", "total"},
		members(t, Progress{Result: Inconclusive, Problem: "no relay", Missing: []MissingRelay{}}))
	assert.Equal(t, []string{"name", "reason"}, members(t, MissingRelay{}))
}
