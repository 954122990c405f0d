package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

func TestWatchShowsItsHealth(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	w := hubProcess{start(t, service(upstream.URL), "watch", "--health-addr", "127.0.0.1:0", "--log-format", "json")}
	url := w.url("health")
	code, body := get(t, url+"/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, `"no-configuration"`)
	code, _ = get(t, url+"/livez")
	assert.Equal(t, http.StatusOK, code)

	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	w.says(&w.stdout, "received all")
	require.Eventually(t, func() bool {
		code, body = get(t, url+"/readyz")
		return code == http.StatusOK && strings.Contains(body, `"ok"`)
	}, soon, 5*time.Millisecond)
	_, body = get(t, url+"/status")
	assert.Contains(t, body, `"state": "VALID"`)
	assert.NotContains(t, body, "sdk-")
	_, body = get(t, url+"/metrics")
	assert.Contains(t, body, "relayconf_environments 1\n")
	code, _ = get(t, url+"/debug/pprof/")
	assert.Equal(t, http.StatusNotFound, code)

	upstream.RejectKeys(http.StatusBadGateway)
	upstream.DropConnections()
	require.Eventually(t, func() bool {
		code, body = get(t, url+"/readyz")
		return code == http.StatusOK && strings.Contains(body, `"stale"`)
	}, soon, 5*time.Millisecond)
	for line := range strings.Lines(w.stderr.wholeLines()) {
		assert.True(t, json.Valid([]byte(line)), "the log is JSON: %s", line)
	}
}

func TestAHealthAddressInUseEndsWatch(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	w := start(t, service(upstream.URL), "watch", "--health-addr", strings.TrimPrefix(upstream.URL, "http://"))
	w.exit(exitUnexpected)
	assert.Contains(t, w.stderr.String(), " is in use: give another --health-addr, or end the program that listens there")
}

func TestTheLogOfWatchHasOneFormat(t *testing.T) {
	t.Parallel()
	upstream := autoconfigtest.NewServer(t)
	w := start(t, service(upstream.URL), "watch", "--health-addr", "127.0.0.1:0")
	w.says(&w.stderr, "INFO: Listening (listener: health, url: http://127.0.0.1:")
	w.says(&w.stderr, "INFO: Connecting to ")
	for line := range strings.Lines(w.stderr.wholeLines()) {
		assert.Regexp(t, `^\d{4}-\d\d-\d\d\S* \S+ (INFO|WARN): |^\S+ (INFO|WARN): `, line)
	}
}
