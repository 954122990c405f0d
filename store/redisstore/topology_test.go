//go:build servers

package redisstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/redistest"
)

func TestSentinelsTellWhichServerIsTheMaster(t *testing.T) {
	master, replica, sentinel := redistest.StartSentinel(t)
	s := newStore(t, fmt.Sprintf("redis+sentinel://%s/0?master_name=main", sentinel.Addr()), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	requireStored(t, s, versions(1))
	// Redis answers before its replicas know.
	eventually(t, "the replica has it", func(ctx context.Context) error {
		return clientOf(t, replica).Get(ctx, s.key).Err()
	})

	master.Kill()
	eventually(t, "the replica takes over", func(ctx context.Context) error {
		_, err := s.Load(ctx)
		if err != nil {
			return err
		}
		return s.Save(ctx, versions(2))
	})
	requireStored(t, s, versions(2))
	requireStored(t, newStore(t, replica.URL(), Options{}), versions(2))
}

func TestClusterConformance(t *testing.T) {
	nodes, _ := redistest.StartCluster(t, false)
	admin := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[0].Addr()}})
	t.Cleanup(func() { _ = admin.Close() })
	url := fmt.Sprintf("redis+cluster://%s?addr=%s&addr=%s", nodes[0].Addr(), nodes[1].Addr(), nodes[2].Addr())
	runConformance(t, url, admin)
}

func TestAClusterNodeThatIsKilledAndRestartedIsUsedAgain(t *testing.T) {
	nodes, _ := redistest.StartCluster(t, false)
	s := newStore(t, fmt.Sprintf("redis+cluster://%s?addr=%s", nodes[0].Addr(), nodes[1].Addr()), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	for _, node := range nodes {
		node.Kill()
		node.Run()
	}
	eventually(t, "the Cluster is used again", func(ctx context.Context) error { return s.Save(ctx, versions(2)) })
	requireStored(t, s, versions(2))
}

func TestAClusterWhoseMasterIsLostIsUsedAgainSoon(t *testing.T) {
	masters, replicas := redistest.StartCluster(t, true)
	s := newStore(t, fmt.Sprintf("redis+cluster://%s?addr=%s", replicas[0].Addr(), replicas[1].Addr()), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	for _, master := range masters {
		if master.MustDo("DBSIZE") != "0" {
			master.Kill()
		}
	}
	lost := time.Now()
	eventually(t, "the replica is used", func(ctx context.Context) error { return s.Save(ctx, versions(2)) })
	t.Logf("the replica was used after %s", time.Since(lost))
	require.Less(t, time.Since(lost), 30*time.Second)
	requireStored(t, s, versions(2))
}
