//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSIGTERMDrainsTheHub(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--drain-delay", "5s", "--drain-time", "1m")
	h.serves()
	health, relays := h.url("health"), h.url("relays")
	// Of two relays the second is told half a minute after the first.
	told := make(chan bool, 2)
	var streams []*http.Response
	for range 2 {
		response, lines := stream(t, relays, testKey)
		require.Equal(t, http.StatusOK, response.StatusCode)
		streamID(t, lines)
		streams = append(streams, response)
		go func() {
			reconnect := false
			for !reconnect && lines.Scan() {
				reconnect = strings.HasPrefix(lines.Text(), "event:") && strings.HasSuffix(lines.Text(), "reconnect")
			}
			told <- reconnect
		}()
	}
	h.signal(syscall.SIGTERM)

	require.Eventually(t, func() bool {
		code, body := get(t, health+"/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, `"draining"`)
	}, soon, time.Millisecond, "/readyz fails at once")
	code, _ := get(t, health+"/livez")
	assert.Equal(t, http.StatusOK, code)
	assert.True(t, <-told, "a relay is told to connect elsewhere")
	code = asRelay(t, relays, testKey)
	assert.Equal(t, http.StatusServiceUnavailable, code, "no new stream begins")
	for _, response := range streams {
		_ = response.Body.Close()
	}
	h.exit(exitOK)
}

func TestASecondSIGTERMEndsTheHubAtOnce(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--drain-delay", "1h")
	h.serves()
	_, lines := stream(t, h.url("relays"), testKey)
	streamID(t, lines)
	h.signal(syscall.SIGTERM)
	h.says(&h.stderr, "Draining")
	h.signalUntilItEnds(syscall.SIGTERM)
	h.exit(exitInterrupted)
}

func TestTheFormerKeyCountsForItsGrace(t *testing.T) {
	t.Parallel()
	key := inFile(t, "key", testKey)
	h := startHub(t, nil, "--environments", inFile(t, "environments.yaml", hubFile), "--key-file", key, "--former-key-grace", "1h")
	h.serves()
	r := startRelay(t, h.url("relays"), testKey)
	r.has(t, "web/production", "shop/production")
	replaceFile(t, key, "rel-new")
	h.signal(syscall.SIGHUP)
	require.Eventually(t, func() bool { return asRelay(t, h.url("relays"), "rel-new") == http.StatusOK }, soon, 5*time.Millisecond)
	startRelay(t, h.url("relays"), "rel-new").has(t, "web/production", "shop/production")
	startRelay(t, h.url("relays"), testKey).has(t, "web/production", "shop/production")
	code := asRelay(t, h.url("relays"), "rel-other")
	assert.Equal(t, http.StatusUnauthorized, code)
	assert.Equal(t, uint64(1), r.Status().Connections, "a relay with the former key is not disturbed")

	t.Log("without a grace, the former key ends at once")
	replaceFile(t, key, testKey)
	h = startHub(t, nil, "--environments", inFile(t, "environments.yaml", hubFile), "--key-file", key, "--former-key-grace", "0s")
	h.serves()
	replaceFile(t, key, "rel-new")
	h.signal(syscall.SIGHUP)
	require.Eventually(t, func() bool {
		return asRelay(t, h.url("relays"), testKey) == http.StatusUnauthorized
	}, soon, 5*time.Millisecond)
}

func TestSystemdIsToldWhenTheHubServes(t *testing.T) {
	t.Parallel()
	systemd := newSystemd(t)
	h := startHub(t, append(hubKey, systemd.variables()...), "--environments", inFile(t, "environments.yaml", hubFile))
	systemd.hears("READY=1", "STOPPING=1")
	systemd.hears("WATCHDOG=1", "READY=1")
	code, _ := get(t, h.url("health")+"/readyz")
	assert.Equal(t, http.StatusOK, code)
	h.signal(syscall.SIGTERM)
	systemd.hears("STOPPING=1", "READY=1")
	systemd.readOn()
	h.exit(exitOK)
}

func TestAThousandConnectionsThatSendNothingShutOutNoRelay(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--max-connections", "100")
	h.serves()
	address := strings.TrimPrefix(h.url("relays"), "http://")
	r := startRelay(t, h.url("relays"), testKey)
	r.has(t, "web/production", "shop/production")
	for i := range 1000 {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		if i%2 == 0 {
			_, _ = io.WriteString(conn, "GET /relay_auto_config HTTP/1.1\r\nHost:") // slow headers
		}
	}
	startRelay(t, h.url("relays"), testKey).has(t, "web/production", "shop/production")
	assert.Equal(t, uint64(1), r.Status().Connections, "a relay that is connected stays")
	_, body := get(t, h.url("health")+"/metrics")
	assert.NotContains(t, body, "relayconf_hub_connections_evicted_total 0\n")

	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	assert.Contains(t, line, "431")
}

func TestACacheOfAnotherKeyStaysAsItIsBesideFiles(t *testing.T) {
	t.Parallel()
	kept := inFolder(t, "cache")
	args := []string{"--environments", inFile(t, "environments.yaml", hubFile), "--cache-file", kept}
	first := startHub(t, []string{"AUTO_CONFIG_KEY=rel-former"}, args...)
	first.serves()
	require.Eventually(t, func() bool { return fileExists(kept) }, soon, 5*time.Millisecond)
	require.NoError(t, first.cmd.Process.Kill())
	<-first.ended
	before := must(os.ReadFile(kept))

	second := startHub(t, hubKey, args...)
	second.serves()
	second.says(&second.stderr, "The cache is encrypted with another key than this hub has. It is left as it is")
	second.says(&second.stderr, "--cache-older-key-file")
	assert.NotContains(t, second.stderr.String(), "set aside")
	require.NoError(t, second.cmd.Process.Signal(os.Interrupt))
	<-second.ended
	assert.Equal(t, before, must(os.ReadFile(kept)))

	third := startHub(t, hubKey, append(args, "--cache-older-key-file", inFile(t, "older", "rel-former\n"))...)
	third.serves()
	require.Eventually(t, func() bool { return !bytes.Equal(before, must(os.ReadFile(kept))) }, soon, 5*time.Millisecond,
		"it is encrypted with the present key now")
	assert.NotContains(t, third.stderr.String(), "another key")
}
