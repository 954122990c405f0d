//go:build servers

package shared

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

func TestWithoutRedisAHubKnowsItsOwnAndSaysSo(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, s *server){
		"killed and back":     func(t *testing.T, s *server) { s.kill(t); s.run(t) },
		"back, and empty":     func(t *testing.T, s *server) { s.kill(t); s.Lose(); s.run(t) },
		"emptied as it works": func(t *testing.T, s *server) { require.NoError(t, s.client(t).FlushAll(t.Context()).Err()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startServer(t)
			one, two := startHub(t, server.url(), "hub-1"), startHub(t, server.url(), "hub-2")
			balancer := newLine(t, one.addr)
			moves := startRelay(t, balancer.addr(), "moves")
			startRelay(t, two.addr, "b")
			gone := startRelay(t, two.addr, "gone")
			one.shows("b", two)
			one.shows("gone", two)
			two.shows("moves", one)
			gone.stop()
			one.eventually("it has gone", func() bool { return !one.find("gone").Connected })
			epoch := one.find("moves").Epoch
			connections := moves.manager.Status().Connections
			lose(t, server)
			one.shows("b", two)
			two.shows("moves", one)
			assert.Equal(t, connections, moves.manager.Status().Connections, "the configuration goes on")
			balancer.lead(two.addr)
			one.shows("moves", two)
			assert.Greater(t, one.find("moves").Epoch, epoch, "epochs do not go back")
			three := startHub(t, server.url(), "hub-3")
			three.shows("b", two)
			three.eventually("names are back, too", func() bool { return three.find("gone").Agent && !three.find("gone").Connected })
		})
	}
}

func TestAnOutageIsLoggedAtItsBeginningAndEnd(t *testing.T) {
	server := startServer(t, "requirepass hunter2")
	one := startHub(t, strings.Replace(server.url(), "redis://", "redis://:hunter2@", 1), "hub-1")
	one.complete()
	assert.True(t, one.Stats().Reachable)
	server.kill(t)
	one.says("has failed for")
	assert.False(t, one.Stats().Reachable)
	server.run(t)
	one.complete()
	assert.Equal(t, 1, strings.Count(one.log.String(), "fails"), one.log)
	assert.Equal(t, 1, strings.Count(one.log.String(), "works again"), one.log)
	assert.NotContains(t, one.log.String(), "hunter2")
}

func TestARedisThatHangsHoldsUpNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() // it accepts nobody, and the system accepts connections for it
	one := startHub(t, "redis://"+listener.Addr().String(), "hub-1")
	a := startRelay(t, one.addr, "a")
	one.eventually("its own relays", func() bool { return one.find("a").InSync() })
	one.says("has ")
	begin := time.Now()
	for range 100 {
		_ = one.Overview()
	}
	assert.Less(t, time.Since(begin), 30*time.Second)
	one.has(map[string]int{"web-1": 2})
	one.eventually("the configuration goes on", func() bool { v, _ := a.manager.AppliedVersions(); return v["web-1"] == 2 })
	p := one.wait(fleet.Condition{TimeoutSeconds: 0.5}).result()
	assert.Equal(t, fleet.Inconclusive, p.Result)
	begin = time.Now()
	one.end()
	assert.Less(t, time.Since(begin), soon)
}

func TestASlowRedisIsGoodEnough(t *testing.T) {
	server := startServer(t)
	slow := newLine(t, server.addr())
	one, two := startHub(t, "redis://"+slow.addr(), "hub-1"), startHub(t, server.url(), "hub-2")
	slow.delay.Store(int64(200 * time.Millisecond))
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	two.shows("a", one)
	assert.Equal(t, fleet.Applied, one.wait(fleet.Condition{Min: 2}).result().Result)
}
