//go:build linux && servers

package hubs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/redistest"
)

// requireFailoverIsSurvived kills the master that has the fleet's keys.
func requireFailoverIsSurvived(t *testing.T, url string, masters ...*redistest.Server) {
	t.Helper()
	f := newFleet(t, url, 2, 4)
	f.requireWhole(t)
	f.watch(t)
	before := f.connections()
	holder := slices.IndexFunc(masters, func(m *redistest.Server) bool { return m.MustDo("DBSIZE") != "0" })
	require.NotEqual(t, -1, holder, "no master has anything")
	masters[holder].Kill()
	f.rotate()
	f.waitForRelays(t, f.relays)
	f.requireWhole(t)
	f.requireRelaysOfOtherHubsAnswer(t)
	f.rotate()
	f.requireWhole(t)
	require.Equal(t, before, f.connections(), "no relay has lost its stream or its link")
}

func TestHubsShareAMasterThatSentinelsKnow(t *testing.T) {
	t.Parallel()
	master, _, sentinel := redistest.StartSentinel(t)
	requireFailoverIsSurvived(t, fmt.Sprintf("redis+sentinel://%s/0?master_name=main", sentinel.Addr()), master)
}

func TestHubsShareACluster(t *testing.T) {
	t.Parallel()
	masters, replicas := redistest.StartCluster(t, true)
	url := fmt.Sprintf("redis+cluster://%s?addr=%s&addr=%s", replicas[0].Addr(), replicas[1].Addr(), replicas[2].Addr())
	requireFailoverIsSurvived(t, url, masters...)
}
