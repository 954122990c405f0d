package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/page"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

func TestRelaysAsThePageShowsThem(t *testing.T) {
	const now, old = "11111111111111111111111111111111", "22222222222222222222222222222222"
	since := time.UnixMilli(1_700_000_000_000)
	for _, row := range []struct {
		name  string
		relay fleet.Relay
		want  page.Relay
	}{
		{"in sync", fleet.Relay{Connected: true, Agent: true, Applied: now, Want: now, RoundTrip: time.Millisecond, Status: &agentpb.Status{State: "VALID"}},
			page.Relay{Sync: page.InSync, RoundTrip: 0.001}},
		{"behind", fleet.Relay{Connected: true, Agent: true, Applied: old, Want: now, Behind: since, Status: &agentpb.Status{State: "INTERRUPTED"}},
			page.Relay{Sync: page.Behind, BehindSince: 1_700_000_000_000, Status: "INTERRUPTED"}},
		{"nothing applied", fleet.Relay{Connected: true, Agent: true, Want: now}, page.Relay{Sync: page.Behind}},
		{"a hub without configuration", fleet.Relay{Connected: true, Agent: true, Applied: old}, page.Relay{Sync: page.Unknown}},
		{"sent", fleet.Relay{Connected: true, Sent: now, Want: now}, page.Relay{Sync: page.Sent}},
		{"not all sent", fleet.Relay{Connected: true, Sent: old, Want: now}, page.Relay{Sync: page.Behind}},
		{"absent", fleet.Relay{Agent: true, Since: since}, page.Relay{Sync: page.Absent, Since: 1_700_000_000_000}},
		{"of this hub", fleet.Relay{Hub: "here"}, page.Relay{Sync: page.Absent}},
		{"of another hub", fleet.Relay{Hub: "there"}, page.Relay{Sync: page.Absent, Hub: "there"}},
	} {
		row.relay.Name, row.want.Name = "eu-1", "eu-1"
		shown := pageRelay(row.relay, "here")
		row.want.ID = shown.ID
		assert.Equal(t, row.want, shown, row.name)
	}
}

// Relays without agent are called after their address, at each hub, and an agent may have such a name.
func TestRelaysOfOneNameAreApartOnThePage(t *testing.T) {
	const name = "stream:10.0.0.1"
	ids := map[string]bool{}
	for _, relay := range []fleet.Relay{
		{Name: name, Agent: true, Hub: "here"}, {Name: name, Hub: "here"}, {Name: name, Hub: "there"}, {Name: name + "#2", Hub: "there"},
	} {
		ids[pageRelay(relay, "here").ID] = true
	}
	assert.Len(t, ids, 4)
	agent := fleet.Relay{Name: "eu-1", Agent: true, Hub: "here"}
	moved := agent
	moved.Hub = "there"
	assert.Equal(t, pageRelay(agent, "here").ID, pageRelay(moved, "here").ID, "with an agent it is the same relay wherever it is")
}
