package shared

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// manyRelays are relays as they are found in a large fleet.
func manyRelays(count int) (relays []fleet.Relay) {
	digest := "0123456789abcdef0123456789abcdef"
	for i := range count {
		relays = append(relays, fleet.Relay{Name: fmt.Sprintf("relay-%05d.eu-west-1.example", i), Connected: true, Agent: true,
			Address: "10.12.34.56:54321", Version: "relayconf v1.2.3", Since: at(i), Key: "production", Applied: digest, Want: digest,
			RoundTrip: 1234 * time.Microsecond, Instance: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Protocol: 2, Epoch: fleet.EpochAt(at(i)),
			Status: &agentpb.Status{State: "VALID", StateSince: timestamppb.New(at(i)), LastActivity: timestamppb.New(at(i)),
				LastKeepAlive: timestamppb.New(at(i)), KeepAlives: 12345, Connections: 3, Environments: 500, Digest: digest, Source: "STREAM"}})
	}
	return relays
}

func TestHeartbeatsAreSmallAndRostersNotLarge(t *testing.T) {
	const count = 2000
	relays := manyRelays(count)
	var r roster
	s, bytes := testSecret(t, "rel-1"), 0
	for _, i := range r.update(relays, 1, "f", false, at(0)) {
		sealed, err := s.seal(kindPart, "x", r.parts[i])
		require.NoError(t, err)
		bytes += len(sealed)
	}
	relays[7].Applied = "ffffffffffffffffffffffffffffffff"
	changed := r.update(relays, 2, "f", false, at(1))
	require.Len(t, changed, 1)
	part, err := json.Marshal(r.parts[changed[0]])
	require.NoError(t, err)
	h, err := json.Marshal(heartbeat{Name: "hub-1.example", Number: 1 << 40, Parts: r.numbers()})
	require.NoError(t, err)
	t.Logf("%d bytes for each relay, %d for a change of one of %d, %d for a heartbeat", bytes/count, len(part), count, len(h))
	assert.Less(t, bytes/count, 1000)
	assert.Less(t, len(part), 50_000)
	assert.Less(t, len(h), 1000)
}

func BenchmarkRoster(b *testing.B) {
	relays := manyRelays(2000)
	var r roster
	r.update(relays, 1, "f", false, at(0))
	for b.Loop() {
		r.update(relays, 2, "f", false, at(1))
	}
}
