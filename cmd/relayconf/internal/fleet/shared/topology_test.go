//go:build servers

package shared

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relayconf/relayconf/internal/redistest"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// patient is for servers that take their time to find a new master.
func patient(o *Options) { o.Period = 500 * time.Millisecond }

func requireOneFleet(t *testing.T, one, two *rig) {
	t.Helper()
	one.shows("a", one)
	one.shows("b", two)
	two.shows("a", one)
	one.eventually("calls", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return one.Call(ctx, "b", &agentpb.GetVersionInfoRequest{}, &agentpb.VersionInfo{}) == nil
	})
}

func TestHubsShareACluster(t *testing.T) {
	t.Parallel()
	nodes, _ := redistest.StartCluster(t, false)
	one := startHub(t, fmt.Sprintf("redis+cluster://%s?addr=%s", nodes[0].Addr(), nodes[1].Addr()), "hub-1", patient)
	two := startHub(t, fmt.Sprintf("redis+cluster://%s", nodes[2].Addr()), "hub-2", patient)
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	requireOneFleet(t, one, two)
	for _, node := range nodes {
		node.Kill()
		node.Run()
	}
	requireOneFleet(t, one, two)
}

func TestHubsShareTheMasterThatSentinelsKnow(t *testing.T) {
	t.Parallel()
	master, replica, sentinel := redistest.StartSentinel(t)
	url := fmt.Sprintf("redis+sentinel://%s/0?master_name=main", sentinel.Addr())
	one, two := startHub(t, url, "hub-1", patient), startHub(t, url, "hub-2", patient)
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	requireOneFleet(t, one, two)
	master.Kill()
	atReplica := (&server{replica}).client(t)
	one.eventually("the replica takes over", func() bool {
		return strings.Contains(atReplica.Info(t.Context(), "replication").Val(), "role:master")
	})
	c := startRelay(t, two.addr, "c")
	one.shows("c", two)
	c.stop()
	one.eventually("its name is there", func() bool { return atReplica.HExists(t.Context(), one.where().names(), "c").Val() })
	requireOneFleet(t, one, two)
}
