package redistest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/relayconf/relayconf/internal/freeport"
)

// StartSentinel starts a master with a replica, and a Sentinel that calls the master "main" and fails over two seconds
// after it has lost it. It returns when each knows of the others.
func StartSentinel(tb testing.TB) (master, replica, sentinel *Server) {
	tb.Helper()
	master = Start(tb)
	replica = Start(tb, fmt.Sprintf("replicaof 127.0.0.1 %d", master.port), "repl-diskless-sync-delay 0")
	sentinel = newServer(tb, []string{
		fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1", master.port),
		"sentinel down-after-milliseconds main 2000", "sentinel failover-timeout main 3000",
	}, "--sentinel")
	sentinel.Run()
	master.eventually("has its replica", func() error { return master.says("INFO replication", "state=online") })
	sentinel.eventually("knows the replica", func() error {
		replicas, err := sentinel.Do("SENTINEL REPLICAS main")
		if err == nil && replicas == "" {
			return errors.New("it knows of none")
		}
		return err
	})
	return master, replica, sentinel
}

// StartCluster starts a Cluster of three masters, each with a third of the slots, and returns when it is complete. Of
// replicas, each of which may take over, it has one for each master or none.
func StartCluster(tb testing.TB, replicas bool) (masters, theirReplicas []*Server) {
	tb.Helper()
	const slots, size = 16384, 3
	count := size
	if replicas {
		count = 2 * size
	}
	nodes := make([]*Server, count)
	for i := range nodes {
		bus := freeport.Take(tb)
		nodes[i] = Start(tb, "cluster-enabled yes", fmt.Sprint("cluster-port ", bus), "cluster-node-timeout 2000",
			"repl-diskless-sync-delay 0")
		// Nodes of the same epoch settle it later. A replica that has not heard of that when its master is lost gets no votes.
		nodes[i].MustDo(fmt.Sprint("CLUSTER SET-CONFIG-EPOCH ", i+1))
		if i > 0 {
			nodes[0].MustDo(fmt.Sprintf("CLUSTER MEET 127.0.0.1 %d %d", nodes[i].port, bus))
		}
	}
	masters, theirReplicas = nodes[:size], nodes[size:]
	for i, node := range masters {
		node.MustDo(fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", i*slots/size, (i+1)*slots/size-1))
	}
	for _, node := range nodes {
		node.eventually("has the whole Cluster", func() error {
			return node.says("CLUSTER INFO", "cluster_state:ok", fmt.Sprint("cluster_known_nodes:", count))
		})
	}
	for i, node := range theirReplicas {
		node.eventually("is a replica", func() error {
			_, err := node.Do("CLUSTER REPLICATE " + masters[i].MustDo("CLUSTER MYID"))
			return err
		})
	}
	for i := range theirReplicas {
		masters[i].eventually("has its replica", func() error { return masters[i].says("INFO replication", "state=online") })
	}
	return masters, theirReplicas
}

// says returns an error unless the answer to a command contains the texts.
func (s *Server) says(command string, texts ...string) error {
	answer, err := s.Do(command)
	if err != nil {
		return err
	}
	for _, text := range texts {
		if !strings.Contains(answer, text) {
			return errors.New(answer)
		}
	}
	return nil
}
