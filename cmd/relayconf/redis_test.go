//go:build servers && !windows

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/freeport"
	"github.com/relayconf/relayconf/internal/redistest"
)

// startRedis starts a real Redis server, and returns its URL.
func startRedis(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("redis://:%s@%s/0", redisPassword, redistest.Start(t, "requirepass "+redisPassword).Addr())
}

func TestCacheShowReadsRedis(t *testing.T) {
	t.Parallel()
	url := startRedis(t)
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut([]envfactory.EnvironmentRep{autoconfigtest.MakeEnvironment(1, 7)}...))
	start(t, append(service(server.URL), "CACHE_REDIS_URL="+url), "watch", "--once").exit(exitOK)
	p := start(t, []string{keyVariable}, "cache", "show", "--cache-redis", url)
	p.exit(exitOK)
	assert.Contains(t, p.stdout.String(), "ago: 1 environment\nweb/production")
	assert.Contains(t, p.stdout.String(), "version 7\n")
}

func TestACacheThatWasFlushedIsFilledAgainByTheNextPutOfTheSameConfiguration(t *testing.T) {
	t.Parallel()
	url := startRedis(t)
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(twoEnvironments()...))
	variables := append(service(server.URL), "CACHE_REDIS_URL="+url)
	p := start(t, variables, "watch")
	requireShown := func() {
		t.Helper()
		require.Eventually(t, func() bool {
			shown := start(t, variables, "cache", "show")
			<-shown.ended
			return strings.Contains(shown.stdout.String(), ": 2 environments\n")
		}, 2*time.Minute, 500*time.Millisecond, "the cache stays lost: %s", &p.stderr)
	}
	requireShown()
	client := redis.NewClient(must(redis.ParseURL(url)))
	defer client.Close()
	require.NoError(t, client.FlushAll(t.Context()).Err())
	server.DropConnections()
	requireShown()
	assert.NotContains(t, p.stdout.String(), "updated")
}

func TestAFleetThatSharesRedisRestartsWhileTheServiceIsDown(t *testing.T) {
	one, two, three := autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1), autoconfigtest.MakeEnvironment(3, 1)
	changed := one
	changed.EnvName, changed.Version = "Renamed", 2
	url, addr := startRedis(t), freeport.Address(t)
	variables := append(service("http://"+addr), "CACHE_REDIS_URL="+url)
	args := []string{"watch", "--format", "json"}
	running := serviceProcess(t, addr, one, two, three)
	fleet := make([]*process, 3)
	for i := range fleet {
		fleet[i] = start(t, variables, args...)
	}
	for _, p := range fleet {
		p.says(&p.stdout, "received-all")
	}
	shown := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			p := start(t, variables, "cache", "show")
			<-p.ended
			return strings.Contains(p.stdout.String(), want)
		}, soon, 50*time.Millisecond, "the cache never shows %s", want)
	}
	shown(": 3 environments\n")
	running.kill()
	for i, p := range fleet {
		p.says(&p.stdout, "interrupted")
		p.signal([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL}[i])
		<-p.ended
	}

	for i := range fleet {
		fleet[i] = startedFromCache(t, variables, args...)
	}
	serviceProcess(t, addr, changed, three)
	for _, p := range fleet {
		p.requireTakeOver(changed, two)
		assert.NotContains(t, p.stdout.String()+p.stderr.String(), redisPassword)
	}
	shown(": 2 environments\n")
}
