package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

// hubProcess is a running serve.
type hubProcess struct{ *process }

// startHub starts serve with ports that the system chooses, and a log in JSON.
func startHub(t *testing.T, environment []string, args ...string) hubProcess {
	t.Helper()
	defaults := []string{"serve", "--log-format", "json", "--addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0",
		"--admin-addr", "127.0.0.1:0", "--drain-delay", "0s", "--drain-time", "1s"}
	return hubProcess{start(t, environment, append(defaults, args...)...)}
}

// url returns the address of a listener, once it listens.
func (h hubProcess) url(listener string) string {
	h.t.Helper()
	var found string
	require.Eventually(h.t, func() bool {
		for line := range strings.Lines(h.stderr.String()) {
			var l struct{ Msg, Listener, URL string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "Listening" && l.Listener == listener {
				found = l.URL
			}
		}
		return found != ""
	}, soon, 5*time.Millisecond, "no listener %s", listener)
	return found
}

func (h hubProcess) serves() { h.says(&h.stderr, "Serving the configuration") }

// get returns the status and the body of a GET, or 0 and the error if there is no answer. It can be polled.
func get(t *testing.T, url string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// hasIDs waits until the relay has exactly these environments, by their ids in order.
func (r relay) hasIDs(t *testing.T, want ...config.EnvironmentID) {
	t.Helper()
	require.Eventually(t, func() bool {
		var got []config.EnvironmentID
		for _, env := range r.Environments() {
			got = append(got, env.EnvID)
		}
		return slices.Equal(got, want)
	}, soon, 5*time.Millisecond, "want %v", want)
}

// asRelay returns the status that a relay with this key gets, or 0 if there is no answer, as when the key is revoked at that
// moment. It does not read the stream. It can be polled.
func asRelay(t *testing.T, url, key string) int {
	response, err := openStream(t, url, key)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// relay is a relay that is built with autoconfig.
type relay struct {
	*autoconfig.StreamManager
	calls *autoconfigtest.Recorder
}

func startRelay(t *testing.T, url string, key config.AutoConfigKey) relay {
	t.Helper()
	loggers := ldlog.NewDisabledLoggers()
	client, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "relay-test", loggers)
	require.NoError(t, err)
	calls := autoconfigtest.NewRecorder()
	manager := autoconfig.NewStreamManager(key, url, calls, client, time.Millisecond, loggers, autoconfig.WithProtocolVersion(2))
	manager.Start()
	t.Cleanup(func() {
		manager.Close()
		<-manager.Done()
	})
	return relay{manager, calls}
}

// has waits until the relay has exactly these environments, by the keys of their projects and themselves.
func (r relay) has(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	require.Eventually(t, func() bool {
		got = got[:0]
		for _, env := range r.Environments() {
			got = append(got, env.Identifiers.String())
		}
		return strings.Join(got, " ") == strings.Join(want, " ")
	}, soon, 5*time.Millisecond, "want %v", want)
}

// stream reads the hub's stream as curl does, and returns the response, and its lines.
func stream(t *testing.T, url string, key string) (*http.Response, *bufio.Scanner) {
	t.Helper()
	response, err := openStream(t, url, key)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response, bufio.NewScanner(response.Body)
}

func openStream(t *testing.T, url, key string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/relay_auto_config", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", key)
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
}

const hubFile = `environments:
  - {id: env1, projKey: web, envKey: production, sdkKey: sdk-00000000-0000-4000-8000-000000000001}
  - {id: env2, projKey: shop, envKey: production, sdkKey: sdk-00000000-0000-4000-8000-000000000002}
`

const thirdEnvironment = "  - {id: env3, projKey: web, envKey: test, sdkKey: sdk-00000000-0000-4000-8000-000000000003}\n"

// replaceFile replaces a file in one step.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	require.NoError(t, os.Rename(path+".new", path))
}

// inFile writes a file into a new folder.
func inFile(t *testing.T, name, text string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), name), text)
}

var hubKey = []string{"AUTO_CONFIG_KEY=" + testKey}

// streamID returns the id of the first event of a stream.
func streamID(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if id, found := strings.CutPrefix(lines.Text(), "id:"); found {
			return strings.TrimSpace(id)
		}
	}
	require.FailNow(t, "the stream has no id")
	return ""
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
