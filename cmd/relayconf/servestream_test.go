package main

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

func TestAHubFollowsAStream(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	h := startHub(t, hubKey, "--stream-uri", upstream.URL)
	r := startRelay(t, h.url("relays"), testKey)
	r.hasIDs(t, autoconfigtest.MakeEnvironment(1, 1).EnvID)
	upstream.Patch(autoconfigtest.MakeEnvironment(2, 1))
	r.hasIDs(t, autoconfigtest.MakeEnvironment(1, 1).EnvID, autoconfigtest.MakeEnvironment(2, 1).EnvID)

	t.Log("a hub behind the hub is a relay to it, and a service to its own")
	second := startHub(t, hubKey, "--stream-uri", h.url("relays"))
	leaf := startRelay(t, second.url("relays"), testKey)
	leaf.hasIDs(t, autoconfigtest.MakeEnvironment(1, 1).EnvID, autoconfigtest.MakeEnvironment(2, 1).EnvID)
	assert.Equal(t, r.Status().Digest, leaf.Status().Digest)
	upstream.Delete(autoconfigtest.MakeEnvironment(1, 1).EnvID, 2)
	leaf.hasIDs(t, autoconfigtest.MakeEnvironment(2, 1).EnvID)
	r.hasIDs(t, autoconfigtest.MakeEnvironment(2, 1).EnvID)
	_, body := get(t, h.url("admin")+"/status")
	assert.Contains(t, body, `"source": "STREAM"`)
	assert.Contains(t, body, `"status": "healthy"`)

	t.Log("relays do not notice that the service asks for a new connection")
	upstream.Reconnect()
	upstream.WaitForConnections(2, soon)
	upstream.Patch(autoconfigtest.MakeEnvironment(3, 1))
	for _, relay := range []relay{r, leaf} {
		relay.hasIDs(t, autoconfigtest.MakeEnvironment(2, 1).EnvID, autoconfigtest.MakeEnvironment(3, 1).EnvID)
		assert.EqualValues(t, 1, relay.Status().Connections)
	}
}

func TestAHubStartsFromItsCacheWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	kept := inFolder(t, "cache")
	first := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-file", kept)
	first.serves()
	require.Eventually(t, func() bool { return fileExists(kept) }, soon, 5*time.Millisecond)
	require.NoError(t, first.cmd.Process.Kill())
	<-first.ended
	upstream.Close()

	second := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-file", kept)
	second.serves()
	startRelay(t, second.url("relays"), testKey).hasIDs(t, autoconfigtest.MakeEnvironment(1, 1).EnvID)
	code, body := get(t, second.url("health")+"/readyz")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, `"condition": "from-cache"`)
}

func TestARejectedKeyEndsAHubOnlyIfItHasNothingToServe(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	kept := inFolder(t, "cache")
	first := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-file", kept)
	first.serves()
	require.Eventually(t, func() bool { return fileExists(kept) }, soon, 5*time.Millisecond)
	require.NoError(t, first.cmd.Process.Kill())
	<-first.ended

	running := startHub(t, hubKey, "--stream-uri", upstream.URL)
	running.serves()
	upstream.RejectKeys(http.StatusUnauthorized)
	upstream.DropConnections()
	startHub(t, hubKey, "--stream-uri", upstream.URL).exit(exitPermanent)
	cached := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-file", kept)
	cached.serves()
	startRelay(t, cached.url("relays"), testKey).hasIDs(t, autoconfigtest.MakeEnvironment(1, 1).EnvID)
	waits := startHub(t, hubKey, "--stream-uri", upstream.URL, "--retry-rejected-key")
	for _, row := range []struct {
		hub  hubProcess
		code int
	}{{running, http.StatusOK}, {cached, http.StatusOK}, {waits, http.StatusServiceUnavailable}} {
		row.hub.says(&row.hub.stderr, "HTTP status 401")
		code, body := get(t, row.hub.url("health")+"/readyz")
		assert.Equal(t, row.code, code)
		assert.Contains(t, body, `"condition": "key-rejected"`)
	}
}

func TestARejectedKeyEndsNoHubWhoseCacheHasNotAnswered(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	upstream.RejectKeys(http.StatusUnauthorized)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = silent.Close() }() // it accepts nobody, and the system accepts connections for it
	h := startHub(t, hubKey, "--stream-uri", upstream.URL, "--cache-redis",
		"redis://"+silent.Addr().String()+"/0?max_retries=-1&read_timeout=1m")
	h.says(&h.stderr, "HTTP status 401")
	select {
	case <-h.ended:
		t.Fatal("the hub has ended")
	case <-time.After(time.Second): // that nothing happens can't be waited for otherwise
	}
	require.NoError(t, silent.Close()) // which fails the cache
	h.exit(exitPermanent)
	assert.Contains(t, h.stderr.String(), "could not be loaded from the Redis key")
}

func TestAHubWithoutAConfigurationEndsAfterTheInitTimeout(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t) // never sends a put
	h := startHub(t, hubKey, "--stream-uri", upstream.URL, "--init-timeout", "100ms")
	h.exit(exitInitTimeout)
	assert.Contains(t, h.stderr.String(), "there is no full configuration after 100ms")
}

func TestAHubWithoutAConfigurationIsNotReady(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	h := startHub(t, hubKey, "--stream-uri", upstream.URL)
	code, body := get(t, h.url("health")+"/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, `"no-configuration"`)
	assert.Equal(t, http.StatusServiceUnavailable, asRelay(t, h.url("relays"), testKey))
	upstream.Put(autoconfigtest.MakePut())
	h.serves()
	require.Equal(t, http.StatusOK, asRelay(t, h.url("relays"), testKey), "no environment is a configuration, too")
}
