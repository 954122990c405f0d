package autoconfig_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
)

func TestCapturedStreamLeadsToExactlyTheseCalls(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "testdata", "captured.sse"))
	require.NoError(t, err)
	defer file.Close()
	recording, err := autoconfigtest.ParseRecording(file)
	require.NoError(t, err)
	replay := recording.Handler(autoconfigtest.ReplayOptions{})
	server := httptest.NewServer(replay)
	defer server.Close()

	m, recorder := follow(t, server.URL, config.ProxyConfig{})
	// The third connection is after the reconnect event and the event that is cut off.
	require.Eventually(t, func() bool { return m.Status().Connections >= 3 }, deadline, time.Millisecond)
	m.Close()
	<-m.Done()

	var calls []string
	expiring := map[string]string{}
	for _, call := range recorder.Calls() {
		calls = append(calls, call.String())
		if call.Params.ExpiringSDKKey != "" {
			expiring[call.Params.Identifiers.String()] = string(call.Params.ExpiringSDKKey)
			assert.Equal(t, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), call.Params.ExpiringSDKKeyTime)
		}
	}
	assert.Equal(t, []string{
		`KeepAlive "hello"`,
		"AddEnvironment web/production", "AddEnvironment web/staging", "AddEnvironment app/production", "ReceivedAllEnvironments",
		`KeepAlive ""`,
		"UpdateEnvironment web/staging", "AddEnvironment app/test",
		`KeepAlive "keepalive"`,
		"DeleteEnvironment 5f1b0c7e0000000000000001",
	}, calls)
	assert.Equal(t, map[string]string{
		"app/production": "sdk-00000000-0000-4000-8000-0000000000ff", "web/staging": "sdk-00000000-0000-4000-8000-000000000002",
	}, expiring)
	assert.EqualValues(t, 3, m.Status().KeepAlives)
	assert.Equal(t, autoconfig.ErrorKindNetwork, m.Status().LastError.Kind, "of the event that was cut off")
}
