//go:build servers && !windows

package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The versions are in the file, so that all hubs have the same configuration.
const sharedFile = `environments:
  - {id: "1", projKey: web, envKey: production, sdkKey: sdk-1, version: 3000000000}
`

func TestHubsThatShareRedisAreOneFleet(t *testing.T) {
	t.Parallel()
	url, path := startRedis(t), inFile(t, "environments.yaml", sharedFile)
	variables := append([]string{"FLEET_REDIS_URL=" + url}, hubKey...)
	hub := func(name string) hubProcess {
		h := startHub(t, variables, "--environments", path, "--name", name)
		h.serves()
		return h
	}
	one, two := hub("hub-1"), hub("hub-2")
	startLinked(t, one, "relay-1")
	startLinked(t, two, "relay-2")
	inSync := func() bool {
		relays := listed(t, one)
		return len(relays) == 2 && relays[0].InSync && relays[1].InSync
	}
	require.Eventually(t, inSync, soon, 100*time.Millisecond)
	table := fleetCommand(t, one, exitOK, "list").stdout.String()
	assert.Regexp(t, `(?m)^NAME +SYNC +ADDRESS +SINCE +RTT +VERSION +HUB$`, table)
	assert.Regexp(t, `(?m)^relay-2 +in sync .* hub-2$`, table)
	fleetCommand(t, one, exitOK, "wait", "--min", "2", "--timeout", "1m")
	var status struct{ State string }
	answer := fleetCommand(t, one, exitOK, "call", "relay-2", "get-status").stdout.String()
	require.NoError(t, json.Unmarshal([]byte(answer), &status))
	assert.Equal(t, "VALID", status.State)
	assert.Contains(t, fleetCommand(t, one, exitOK, "show", "relay-2").stdout.String(), "hub-2")
	_, metrics := get(t, one.url("health")+"/metrics")
	assert.Contains(t, metrics, "relayconf_fleet_redis_up 1\n")
	assert.Contains(t, metrics, "relayconf_fleet_other_hubs 1\n")
	requireDocumented(t, metrics)

	two.signal(syscall.SIGKILL)
	<-two.ended
	p := fleetCommand(t, one, exitInconclusive, "wait", "--timeout", "20s")
	assert.Contains(t, p.stderr.String(), "the hub hub-2 has not been heard of")
	require.Eventually(t, func() bool { // a completion gives up soon
		completions := start(t, nil, "__complete", "fleet", "--admin-addr", strings.TrimPrefix(one.url("admin"), "http://"), "forget", "--hub", "")
		completions.exit(exitOK)
		return strings.HasPrefix(completions.stdout.String(), "hub-2\n:")
	}, soon, 100*time.Millisecond)
	fleetCommand(t, one, exitOK, "forget", "--hub", "hub-2")
	p = fleetCommand(t, one, exitMissing, "wait", "--timeout", "2s")
	assert.Contains(t, p.stderr.String(), "relay-2 is not connected")
	for _, h := range []hubProcess{one, two} {
		assert.NotContains(t, h.stdout.String()+h.stderr.String(), redisPassword)
	}
	_, metrics = get(t, one.url("health")+"/metrics")
	assert.NotContains(t, metrics, redisPassword)
}

func TestAHubWithACacheInRedisKnowsWhomToExpectAfterARestart(t *testing.T) {
	t.Parallel()
	url, path := startRedis(t), inFile(t, "environments.yaml", sharedFile)
	variables := append([]string{"CACHE_REDIS_URL=" + url}, hubKey...)
	h := startHub(t, variables, "--environments", path, "--name", "hub-1")
	h.serves()
	relay := startLinked(t, h, "relay-1")
	require.Eventually(t, func() bool { return len(listed(t, h)) == 1 }, soon, 100*time.Millisecond)
	relay.kill()
	h.signal(syscall.SIGTERM)
	h.exit(exitOK)
	h = startHub(t, variables, "--environments", path, "--name", "hub-1")
	h.serves()
	require.Eventually(t, func() bool {
		relays := listed(t, h)
		return len(relays) == 1 && relays[0].Name == "relay-1" && !relays[0].Connected
	}, soon, 100*time.Millisecond)
}

func TestAFleetInRedisNeedsAKey(t *testing.T) {
	t.Parallel()
	keys := inFile(t, "keys.yaml", "keys:\n  - {name: a, key: rel-a}\n")
	args := []string{"serve", "--environments", inFile(t, "environments.yaml", sharedFile), "--keys", keys, "--fleet-redis"}
	p := start(t, nil, append(args, "redis://:"+redisPassword+"@127.0.0.1:1")...)
	p.exit(exitUsage)
	assert.Contains(t, p.stderr.String(), "the hubs of a fleet in Redis know each other by a key that all of them have")
	p = start(t, hubKey, append(args, "nonsense://:"+redisPassword+"@h")...)
	p.exit(exitUsage)
	assert.Contains(t, p.stderr.String(), "--fleet-redis")
	assert.False(t, strings.Contains(p.stderr.String(), redisPassword))
}
