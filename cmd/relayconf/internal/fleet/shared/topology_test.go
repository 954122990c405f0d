//go:build servers

package shared

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

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
	const slots, size = 16384, 3
	var nodes []*server
	for range size {
		bus := freePort(t)
		node := startServer(t, "cluster-enabled yes", fmt.Sprint("cluster-port ", bus), "cluster-node-timeout 2000")
		if nodes = append(nodes, node); len(nodes) > 1 {
			require.NoError(t, nodes[0].client(t).Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", node.port, bus).Err())
		}
	}
	for i, node := range nodes {
		require.NoError(t, node.client(t).ClusterAddSlotsRange(t.Context(), i*slots/size, (i+1)*slots/size-1).Err())
	}
	for _, node := range nodes {
		client := node.client(t)
		require.Eventually(t, func() bool {
			info := client.ClusterInfo(t.Context()).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		}, soon, 20*time.Millisecond, "the Cluster is complete")
	}
	one := startHub(t, fmt.Sprintf("redis+cluster://%s?addr=%s", nodes[0].addr(), nodes[1].addr()), "hub-1", patient)
	two := startHub(t, fmt.Sprintf("redis+cluster://%s", nodes[2].addr()), "hub-2", patient)
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	requireOneFleet(t, one, two)
	for _, node := range nodes {
		node.kill(t)
		node.run(t)
	}
	requireOneFleet(t, one, two)
}

func TestHubsShareTheMasterThatSentinelsKnow(t *testing.T) {
	t.Parallel()
	master := startServer(t)
	replica := startServer(t, fmt.Sprintf("replicaof 127.0.0.1 %d", master.port), "repl-diskless-sync-delay 0")
	sentinel := newServer(t, fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1", master.port),
		"sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 3000")
	sentinel.run(t, "--sentinel")
	atMaster := master.client(t)
	require.Eventually(t, func() bool {
		return strings.Contains(atMaster.Info(t.Context(), "replication").Val(), "state=online")
	}, soon, 20*time.Millisecond, "the replica follows the master")
	atSentinel := redis.NewSentinelClient(&redis.Options{Addr: sentinel.addr()})
	defer atSentinel.Close()
	require.Eventually(t, func() bool {
		return len(atSentinel.Replicas(t.Context(), "main").Val()) > 0
	}, soon, 20*time.Millisecond, "the Sentinel knows the replica")

	url := fmt.Sprintf("redis+sentinel://%s/0?master_name=main", sentinel.addr())
	one, two := startHub(t, url, "hub-1", patient), startHub(t, url, "hub-2", patient)
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	requireOneFleet(t, one, two)
	master.kill(t)
	atReplica := replica.client(t)
	one.eventually("the replica takes over", func() bool {
		return strings.Contains(atReplica.Info(t.Context(), "replication").Val(), "role:master")
	})
	c := startRelay(t, two.addr, "c")
	one.shows("c", two)
	c.stop()
	one.eventually("its name is there", func() bool { return atReplica.HExists(t.Context(), one.where().names(), "c").Val() })
	requireOneFleet(t, one, two)
}
