package main

import (
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startLinked starts watch with a link to the hub.
func startLinked(t *testing.T, h hubProcess, name string) *process {
	t.Helper()
	p := start(t, service(h.url("relays")), "watch", "--link", h.url("relays")+"/link", "--name", name)
	p.says(&p.stderr, "Linked to the hub")
	return p
}

// fleetCommand runs a fleet command to its end.
func fleetCommand(t *testing.T, h hubProcess, code int, args ...string) *process {
	t.Helper()
	p := start(t, nil, append([]string{"fleet", "--admin-addr", strings.TrimPrefix(h.url("admin"), "http://")}, args...)...)
	p.exit(code)
	return p
}

type listedRelay struct {
	Name      string
	Connected bool
	InSync    bool
	Digest    string
	Status    struct{ State string }
}

func listed(t *testing.T, h hubProcess) (relays []listedRelay) {
	t.Helper()
	var list struct{ Relays []listedRelay }
	require.NoError(t, json.Unmarshal([]byte(fleetCommand(t, h, exitOK, "list", "--format", "json").stdout.String()), &list))
	return list.Relays
}

func TestFleetKnowsTheRelaysOfAHub(t *testing.T) {
	t.Parallel()
	path := inFile(t, "environments.yaml", hubFile)
	h := startHub(t, hubKey, "--environments", path, "--cache-file", inFolder(t, "cache"))
	h.serves()
	one := startLinked(t, h, "relay-1")
	startLinked(t, h, "relay-2")
	require.Eventually(t, func() bool {
		relays := listed(t, h)
		return len(relays) == 2 && relays[0].InSync && relays[1].InSync && relays[1].Status.State == "VALID"
	}, soon, 100*time.Millisecond)

	table := fleetCommand(t, h, exitOK, "list").stdout.String()
	assert.Regexp(t, `(?m)^NAME +SYNC +ADDRESS +SINCE +RTT +VERSION$`, table)
	assert.Regexp(t, `(?m)^relay-1 +in sync +127\.0\.0\.1:\d+ +\S+ ago`, table)
	shown := fleetCommand(t, h, exitOK, "show", "relay-2").stdout.String()
	assert.Regexp(t, `(?m)^name: +relay-2\nsync: +in sync$`, shown)
	environments := fleetCommand(t, h, exitOK, "call", "relay-1", "list-environments").stdout.String()
	assert.Contains(t, environments, `"sdkKey": "…0002"`)
	fleetCommand(t, h, exitOK, "call", "relay-1", "set-log-level", "warn")
	fleetCommand(t, h, exitUnexpected, "call", "relay-1", "set-log-level", "debug")
	for _, output := range []string{table, shown, environments, h.stderr.String()} {
		assert.NotContains(t, output, testKey)
		assert.NotContains(t, output, "sdk-0000")
	}
	require.Eventually(t, func() bool { // a completion gives up soon
		completions := start(t, nil, "__complete", "fleet", "--admin-addr", strings.TrimPrefix(h.url("admin"), "http://"), "show", "")
		completions.exit(exitOK)
		return strings.Contains(completions.stdout.String(), "relay-1\nrelay-2\n")
	}, soon, 100*time.Millisecond)

	// The key of an environment is rotated, and wait says when everybody has it.
	version := time.Now().Add(time.Hour).Unix()
	waiting := start(t, nil, "fleet", "--admin-addr", h.url("admin"), "wait", "--min", "2", "--environment", "env1", "--version", strconv.FormatInt(version, 10))
	replaceFile(t, path, strings.Replace(hubFile, "{id: env1,", "{id: env1, version: "+strconv.FormatInt(version, 10)+",", 1))
	waiting.exit(exitOK)
	assert.Equal(t, "All 2 relays have applied it.\n", waiting.stdout.String())

	require.NoError(t, one.cmd.Process.Kill())
	<-one.ended
	require.Eventually(t, func() bool { return !listed(t, h)[0].Connected }, soon, 100*time.Millisecond)
	missing := fleetCommand(t, h, exitMissing, "wait", "--timeout", "1s")
	assert.Contains(t, missing.stderr.String(), "1 of 2 relays have applied it; missing:\n  relay-1 is not connected")
	inconclusive := fleetCommand(t, h, exitInconclusive, "wait", "--min", "3", "--timeout", "1s", "--format", "json")
	assert.Contains(t, inconclusive.stdout.String(), `"result": "inconclusive"`)
	fleetCommand(t, h, exitUnexpected, "forget", "relay-2") // it is connected
	fleetCommand(t, h, exitOK, "forget", "relay-1")
	fleetCommand(t, h, exitOK, "wait", "--min", "1", "--timeout", "30s")
}

func TestFleetErrors(t *testing.T) {
	t.Parallel()
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile))
	h.serves()
	for _, row := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"no such relay", exitUsage, []string{"show", "nobody"}, `there is no relay "nobody"`},
		{"no such function", exitUsage, []string{"call", "nobody", "dance"}, "there is no function"},
		{"nobody to forget", exitUsage, []string{"forget", "nobody"}, `no relay "nobody" was seen`},
		{"nobody to call", exitUsage, []string{"call", "nobody", "reconnect"}, `there is no relay "nobody"`},
		{"a version that files don't lead to", exitUsage, []string{"wait", "--environment", "env1", "--version", "42"}, "gives changes their versions, which are Unix times: 42 is none"},
		{"a version alone", exitUsage, []string{"wait", "--version", "3"}, "environment"},
		{"a digest that is none", exitUsage, []string{"wait", "--digest", "abc"}, "32 hexadecimal digits"},
		{"longer than names are kept", exitUsage, []string{"wait", "--seen-within", "48h"}, "keeps the names of relays for 24h0m0s"},
		{"a relay without a name", exitUsage, []string{"wait", "--relay", ""}, "--relay is empty"},
		{"no command", exitUsage, nil, "list, show, call, wait or forget"},
		{"no relay at all", exitInconclusive, []string{"wait", "--timeout", "1s"}, "no relay is expected"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := fleetCommand(t, h, row.code, row.args...)
			assert.Contains(t, p.stderr.String(), row.want)
		})
	}
	_, port, found := strings.Cut(strings.TrimPrefix(h.url("admin"), "http://"), ":")
	require.True(t, found)
	start(t, nil, "fleet", "list", "--admin-addr", ":"+port).exit(exitOK) // as serve takes it
	p := start(t, nil, "fleet", "list", "--admin-addr", "127.0.0.1:1")
	p.exit(exitUnexpected)
	assert.Contains(t, p.stderr.String(), "the hub can't be reached")
	p = start(t, service(h.url("relays")), "watch", "--link", "ftp://hub")
	p.exit(exitUsage)
	assert.Contains(t, p.stderr.String(), "ws://hub:8030/link")
}

func TestAWaitEndsThoughTheHubHangs(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	p := start(t, nil, "fleet", "wait", "--timeout", "1s", "--admin-addr", silent.Addr().String())
	p.exit(exitInconclusive)
	assert.Contains(t, p.stderr.String(), "the hub did not answer within the --timeout")
}
