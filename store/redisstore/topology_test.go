//go:build servers

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestSentinelsTellWhichServerIsTheMaster(t *testing.T) {
	master := startServer(t).run(t)
	replica := startServer(t, fmt.Sprintf("replicaof 127.0.0.1 %d", master.port), "repl-diskless-sync-delay 0").run(t)
	sentinel := start(t, []string{
		"port {port}", "bind 127.0.0.1", "dir {folder}",
		fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1", master.port),
		"sentinel down-after-milliseconds main 2000", "sentinel failover-timeout main 3000",
	}).run(t, "--sentinel")
	waitForReplica(t, master, sentinel)

	s := newStore(t, fmt.Sprintf("redis+sentinel://%s/0?master_name=main", sentinel.addr()), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	requireStored(t, s, versions(1))
	// Redis answers before its replicas know.
	eventually(t, "the replica has it", func(ctx context.Context) error {
		return replica.client(t).Get(ctx, s.key).Err()
	})

	master.kill(t)
	eventually(t, "the replica takes over", func(ctx context.Context) error {
		_, err := s.Load(ctx)
		if err != nil {
			return err
		}
		return s.Save(ctx, versions(2))
	})
	requireStored(t, s, versions(2))
	requireStored(t, newStore(t, replica.url(), Options{}), versions(2))
}

func waitForReplica(t *testing.T, master, sentinel *server) {
	t.Helper()
	atMaster := master.client(t)
	eventually(t, "the replica follows the master", func(ctx context.Context) error {
		info, err := atMaster.Info(ctx, "replication").Result()
		if err == nil && !strings.Contains(info, "state=online") {
			return errors.New(info)
		}
		return err
	})
	atSentinel := redis.NewSentinelClient(&redis.Options{Addr: sentinel.addr(), MaintNotificationsConfig: noMaintNotifications()})
	defer atSentinel.Close()
	eventually(t, "the Sentinel knows the replica", func(ctx context.Context) error {
		replicas, err := atSentinel.Replicas(ctx, "main").Result()
		if err == nil && len(replicas) == 0 {
			return errors.New("it knows of none")
		}
		return err
	})
}

func TestClusterConformance(t *testing.T) {
	nodes := startCluster(t)
	admin := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[0].addr()}})
	t.Cleanup(func() { _ = admin.Close() })
	url := fmt.Sprintf("redis+cluster://%s?addr=%s&addr=%s", nodes[0].addr(), nodes[1].addr(), nodes[2].addr())
	runConformance(t, url, admin)
}

func TestAClusterNodeThatIsKilledAndRestartedIsUsedAgain(t *testing.T) {
	nodes := startCluster(t)
	s := newStore(t, fmt.Sprintf("redis+cluster://%s?addr=%s", nodes[0].addr(), nodes[1].addr()), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	for _, node := range nodes {
		node.kill(t)
		node.run(t)
	}
	eventually(t, "the Cluster is used again", func(ctx context.Context) error { return s.Save(ctx, versions(2)) })
	requireStored(t, s, versions(2))
}

// startCluster starts three masters, each with a third of the slots.
func startCluster(t *testing.T) []*server {
	t.Helper()
	const slots, size = 16384, 3
	var nodes []*server
	for range size {
		bus := freePort(t)
		nodes = append(nodes, startServer(t, "cluster-enabled yes", fmt.Sprint("cluster-port ", bus),
			"cluster-node-timeout 2000").run(t))
		if len(nodes) > 1 {
			first := nodes[0].client(t)
			err := first.Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", nodes[len(nodes)-1].port, bus).Err()
			require.NoError(t, err)
		}
	}
	for i, node := range nodes {
		require.NoError(t, node.client(t).ClusterAddSlotsRange(t.Context(), i*slots/size, (i+1)*slots/size-1).Err())
	}
	for _, node := range nodes {
		eventually(t, "the Cluster is complete", func(ctx context.Context) error {
			info, err := node.client(t).ClusterInfo(ctx).Result()
			if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")) {
				return errors.New(info)
			}
			return err
		})
	}
	return nodes
}
