package main

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHubServesFilesToItsRelays(t *testing.T) {
	t.Parallel()
	path := inFile(t, "environments.yaml", hubFile)
	h := startHub(t, hubKey, "--environments", path)
	r := startRelay(t, h.url("relays"), testKey)
	r.has(t, "web/production", "shop/production")
	replaceFile(t, path, hubFile+thirdEnvironment)
	r.has(t, "web/production", "shop/production", "web/test")

	replaceFile(t, path, hubFile+"  - oops\n")
	h.says(&h.stderr, "environments.yaml:4: expected an environment as an object")
	code, body := get(t, h.url("health")+"/readyz")
	assert.Equal(t, 200, code)
	assert.Contains(t, body, `"condition": "stale"`)
	assert.Contains(t, body, "environments.yaml:4: ")
	assert.Contains(t, body, `"source": "FILE"`)
	assert.Contains(t, body, `"lostSince": "20`)
	replaceFile(t, path, hubFile)
	r.has(t, "web/production", "shop/production")

	assert.NotContains(t, h.stderr.String(), testKey)
	for line := range strings.Lines(h.stderr.wholeLines()) {
		assert.True(t, json.Valid([]byte(line)), "the log is JSON: %s", line)
	}
}

func TestEachListenerHasItsPart(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile))
	h.serves()
	startRelay(t, h.url("relays"), testKey).has(t, "web/production", "shop/production")
	for _, row := range []struct {
		listener, path string
		want           int
	}{
		{"health", "/livez", 200}, {"health", "/readyz", 200}, {"health", "/metrics", 200}, {"health", "/status", 404},
		{"health", "/debug/pprof/", 404}, {"admin", "/livez", 200}, {"admin", "/readyz", 200}, {"admin", "/metrics", 200},
		{"admin", "/status", 200}, {"admin", "/debug/pprof/", 404}, {"admin", "/", 200}, {"admin", "/page/main.js", 200}, {"health", "/", 404}, {"relays", "/livez", 404}, {"relays", "/status", 404},
		{"relays", "/metrics", 404}, {"relays", "/", 404}, {"relays", "/relay_auto_config", 401},
	} {
		code, _ := get(t, h.url(row.listener)+row.path)
		assert.Equal(t, row.want, code, "%s%s", row.listener, row.path)
	}
	_, body := get(t, h.url("admin")+"/status")
	var status struct {
		Status           string
		Source           string
		AutoConfigStatus struct{ State string }
		Environments     int
		Hub              struct {
			Source string
			Relays int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &status))
	assert.Equal(t, "healthy", status.Status)
	assert.Equal(t, "VALID", status.AutoConfigStatus.State)
	assert.Equal(t, 2, status.Environments)
	assert.Equal(t, "FILE", status.Hub.Source)
	assert.Equal(t, "FILE", status.Source)
	assert.Equal(t, 1, status.Hub.Relays)
	_, body = get(t, h.url("health")+"/metrics")
	assert.Contains(t, body, "relayconf_hub_relays 1\n")
	assert.Contains(t, body, "relayconf_hub_delivery_seconds_count 0\n")
	requireDocumented(t, body)
	for _, secret := range []string{testKey, "sdk-0000"} {
		assert.NotContains(t, body, secret)
	}
}

func TestAKeyFileGivesViewsAndRevokes(t *testing.T) {
	t.Parallel()
	const all = "keys:\n  - {name: all, key: rel-all}\n"
	const shop = "  - {name: shop, key: rel-shop, projects: [shop]}\n"
	keys := inFile(t, "keys.yaml", all+shop)
	h := startHub(t, nil, "--environments", inFile(t, "environments.yaml", hubFile), "--keys", keys)
	h.serves()
	startRelay(t, h.url("relays"), "rel-all").has(t, "web/production", "shop/production")
	r := startRelay(t, h.url("relays"), "rel-shop")
	r.has(t, "shop/production")
	code := asRelay(t, h.url("relays"), "rel-unknown")
	assert.Equal(t, http.StatusServiceUnavailable, code, "an unknown key may come to the file soon")

	replaceFile(t, keys, all+"  - {name: shop}\n")
	h.says(&h.stderr, "keys.yaml:3: a key needs a key")
	r.has(t, "shop/production")
	replaceFile(t, keys, all)
	h.says(&h.stderr, "Read the key file again")
	code = asRelay(t, h.url("relays"), "rel-shop")
	assert.Equal(t, http.StatusServiceUnavailable, code)
}

func TestAPatternThatMatchesNothingIsLoggedOnce(t *testing.T) {
	t.Parallel()
	const all, shop = "keys:\n  - {name: all, key: rel-all}\n", "  - {name: shop, key: rel-shop, projects: [shpo]}\n"
	const warning, reread = "A pattern in the key file matches nothing", "Read the key file again"
	keys, path := inFile(t, "keys.yaml", all+shop), inFile(t, "environments.yaml", hubFile)
	h := startHub(t, nil, "--environments", path, "--keys", keys)
	h.serves()
	h.says(&h.stderr, `matches nothing at the moment; is it mistyped?","key":"shop","pattern":"shpo"`)
	replaceFile(t, keys, all+shop+"  - {name: web, key: rel-web, environments: [web/*]}\n")
	h.says(&h.stderr, reread)
	assert.Equal(t, 1, strings.Count(h.stderr.String(), warning), "not again")
	replaceFile(t, path, strings.ReplaceAll(hubFile, "projKey: web", "projKey: wbe"))
	h.says(&h.stderr, `"key":"web","pattern":"web/*"`)
	assert.Equal(t, 2, strings.Count(h.stderr.String(), warning))
}

func TestServeExitCodes(t *testing.T) {
	t.Parallel()
	good := inFile(t, "environments.yaml", hubFile)
	keys := inFile(t, "keys.yaml", "keys:\n  - {name: all, key: rel-all}\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for _, row := range []struct {
		name        string
		environment []string
		args        []string
		code        int
		want        string
	}{
		{"no key", nil, []string{"--environments", good}, exitUsage, "there is no auto-configuration key"},
		{"a cache without a key", nil, []string{"--environments", good, "--keys", keys, "--cache-file", good + ".cache"}, exitUsage, "the cache is encrypted with a key, and there is none: set AUTO_CONFIG_KEY or give a --key-file"},
		{"files with a mistake", hubKey, []string{"--environments", inFile(t, "e.yaml", "environments: {}")}, exitUsage, "e.yaml:1: environments must be a list"},
		{"no files", hubKey, []string{"--environments", good + "x"}, exitUsage, "no such file"},
		{"a key file with a mistake", hubKey, []string{"--environments", good, "--keys", inFile(t, "k.yaml", "keys: {}")}, exitUsage, "k.yaml:1: keys must be a list"},
		{"a stream with a mistake", hubKey, []string{"--stream-uri", "htp://x"}, exitUsage, "--stream-uri must start with http:// or https://"},
		{"two sources", hubKey, []string{"--environments", good, "--stream-uri", "http://127.0.0.1:1"}, exitUsage, "can't be used together: leave one of them out"},
		{"half of TLS", hubKey, []string{"--environments", good, "--tls-cert", good}, exitUsage, "--tls-cert needs --tls-key, too"},
		{"authorities without TLS", hubKey, []string{"--environments", good, "--tls-client-ca", good}, exitUsage, "of no use without --tls-cert"},
		{"no certificate", hubKey, []string{"--environments", good, "--tls-cert", good, "--tls-key", good}, exitUsage, "the TLS certificate"},
		{"operators from elsewhere without a token", hubKey, []string{"--environments", good, "--admin-addr", ":0"}, exitUsage, "give an --admin-token-file"},
		{"authorities of operators without TLS", hubKey, []string{"--environments", good, "--admin-tls-client-ca", good}, exitUsage, "of no use without --admin-tls-cert"},
		{"half of the operators' TLS", hubKey, []string{"--environments", good, "--admin-tls-cert", good}, exitUsage, "admin-tls-key"},
		{"a short token", hubKey, []string{"--environments", good, "--admin-token-file", inFile(t, "token", "secret")}, exitUsage, "at least 16 plain characters"},
		{"an address without a port", hubKey, []string{"--environments", good, "--addr", "foo"}, exitUsage, "--addr foo is no address: it must be HOST:PORT"},
		{"an address with a bad port", hubKey, []string{"--environments", good, "--addr", "127.0.0.1:70000"}, exitUsage, "--addr 127.0.0.1:70000 is no address"},
		{"an address of another machine", hubKey, []string{"--environments", good, "--addr", "192.0.2.1:0"}, exitUsage, "give another --addr, which must be an address of this machine"},
		{"a host without a port for probes", hubKey, []string{"--environments", good, "--health-addr", "127.0.0.1"}, exitUsage, "--health-addr 127.0.0.1 is no address"},
		{"a bad address for probes", hubKey, []string{"--environments", good, "--health-addr", "192.0.2.1:0"}, exitUsage, "give another --health-addr"},
		{"a bad address for operators", hubKey, []string{"--environments", good, "--admin-addr", "localhost"}, exitUsage, "--admin-addr localhost is no address"},
		{"a fleet in Redis at an impossible port", hubKey, []string{"--environments", good, "--fleet-redis", "redis://127.0.0.1:99999"}, exitUsage, "(--fleet-redis, FLEET_REDIS_URL): the Redis URL can't be used: its port is 99999"},
		{"an address in use", hubKey, []string{"--environments", good, "--addr", taken.Addr().String()}, exitUnexpected, "the address " + taken.Addr().String() + " is in use: give another --addr, or end the program that listens there"},
		{"an address in use for probes", hubKey, []string{"--environments", good, "--health-addr", taken.Addr().String()}, exitUnexpected, "is in use: give another --health-addr"},
		{"something else in the place of the cache", hubKey, []string{"--environments", good, "--cache-file", inFile(t, "precious", "my diary, which is long enough")}, exitUsage, "precious"},
		{"the same, with a stream", hubKey, []string{"--stream-uri", "http://127.0.0.1:1", "--cache-file", inFile(t, "precious", "my diary, which is long enough")}, exitUsage, "precious"},
		{"a log format", hubKey, []string{"--environments", good, "--log-format", "xml"}, exitUsage, "it must be text or json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, row.environment, row.args...)
			h.exit(row.code)
			assert.Contains(t, h.stderr.String(), row.want)
			assert.NotContains(t, h.stderr.String(), testKey)
			assertEndsInOneError(t, h.stderr.String())
		})
	}
}

// assertEndsInOneError says that a log in JSON has nothing but JSON, and one error, in its last line.
func assertEndsInOneError(t *testing.T, log string) {
	t.Helper()
	var levels []string
	for text := range strings.Lines(log) {
		var line struct{ Level, Msg, Error string }
		require.NoError(t, json.Unmarshal([]byte(text), &line), text)
		levels = append(levels, line.Level)
		assert.False(t, line.Level == "INFO" && line.Msg == "Ended", "it has failed")
	}
	require.NotEmpty(t, levels)
	assert.Equal(t, "ERROR", levels[len(levels)-1])
	assert.Equal(t, 1, strings.Count(strings.Join(levels, " "), "ERROR"), log)
}

func TestAFailedStartIsOneErrorInTheTextLogToo(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"before the log": {"--environments", "nowhere", "--keys", "nowhere", "--addr", "foo"},
		"in the log":     {"--environments", "nowhere", "--addr", "127.0.0.1:0", "--admin-addr", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, hubKey, append([]string{"serve"}, args...)...)
			p.exit(exitUsage)
			assert.NotContains(t, p.stderr.String(), "INFO: Ended")
			assert.Equal(t, 1, strings.Count(p.stderr.String(), "relayconf: ")+strings.Count(p.stderr.String(), " ERROR: "), p.stderr.String())
		})
	}
}

func TestFilesAreCheckedBeforeAPortIsOpenedAndEachMistakeIsALine(t *testing.T) {
	t.Parallel()
	mistakes := inFile(t, "e.yaml", "environments:\n  - {projKey: web, envKey: a, sdkKey: b}\n  - {id: x, projKey: web, sdkKey: c}\n")
	for _, format := range []string{"text", "json"} {
		p := start(t, hubKey, "serve", "--environments", mistakes, "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--log-format", format)
		p.exit(exitUsage)
		log := p.stderr.String()
		assert.NotContains(t, log, "Listening")
		first, second := mistakes+":2: an environment needs an id", mistakes+":3: an environment needs an envKey"
		if format == "text" {
			assert.Contains(t, log, " ERROR: Ended\n  "+first+"\n  "+second+"\n")
			continue
		}
		var line struct{ Error []string }
		require.NoError(t, json.Unmarshal([]byte(log), &line))
		assert.Equal(t, []string{first, second}, line.Error)
	}
}

func TestAWrongFlagIsALineOfJSONToo(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "watch"} {
		p := start(t, hubKey, command, "--nosuch", "--log-format", "json")
		p.exit(exitUsage)
		assertEndsInOneError(t, p.stderr.String())
		assert.Contains(t, p.stderr.String(), "relayconf "+command+" --help")
	}
}

func TestOperatorsFromElsewhereNeedTheToken(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--admin-addr", "0.0.0.0:0",
		"--admin-token-file", inFile(t, "token", token+"\n"), "--admin-host", "hub.example")
	url := strings.Replace(h.url("admin"), "0.0.0.0", "127.0.0.1", 1)
	url = strings.Replace(url, "[::]", "127.0.0.1", 1)
	code, _ := get(t, url+"/status")
	assert.Equal(t, 401, code)
	code, _ = get(t, url+"/status", "Authorization", "Bearer "+token)
	assert.Equal(t, 200, code)
	assert.NotContains(t, h.stderr.String(), token)
}

func TestAHubRestartsFromItsCacheWithBrokenFiles(t *testing.T) {
	t.Parallel()
	path, kept := inFile(t, "environments.yaml", hubFile), inFolder(t, "cache")
	args := []string{"--environments", path, "--cache-file", kept}
	first := startHub(t, hubKey, args...)
	first.serves()
	_, lines := stream(t, first.url("relays"), testKey)
	id := streamID(t, lines)
	require.Eventually(t, func() bool { return fileExists(kept) }, soon, 5*time.Millisecond)
	require.NoError(t, first.cmd.Process.Kill())
	<-first.ended

	second := startHub(t, hubKey, args...)
	second.serves()
	_, lines = stream(t, second.url("relays"), testKey)
	assert.Equal(t, id, streamID(t, lines), "the versions are those of before")
	assert.Contains(t, first.stderr.String(), "versions of the environments are this hub's own")
	assert.NotContains(t, second.stderr.String(), "versions of the environments are this hub's own", "it has said so")
	require.NoError(t, second.cmd.Process.Kill())
	<-second.ended

	replaceFile(t, path, "environments: {}")
	third := startHub(t, hubKey, args...)
	third.serves()
	_, body := get(t, third.url("health")+"/readyz")
	assert.Contains(t, body, `"condition": "from-cache"`)
	startRelay(t, third.url("relays"), testKey).has(t, "web/production", "shop/production")
}
