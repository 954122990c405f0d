package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
	"github.com/relayconf/relayconf/config"
)

func TestOnceEndsWhenTheFirstFullConfigurationIsThere(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	p := start(t, service(server.URL), "watch", "--once")
	server.WaitForConnections(1, soon)
	assert.Empty(t, p.stdout.String())
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p.exit(exitOK)
	assert.Contains(t, p.stdout.String(), `added    web/production "Production"`)
	assert.Contains(t, p.stdout.String(), "received all: 1 environment\n")
	assert.Contains(t, server.Requests()[0].URL.RawQuery, "rpacProtocolVersion=2")
}

func TestOnceWarnsOfEnvironmentsThatWereLeftOut(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	broken := autoconfigtest.MakeEnvironment(2, 1)
	broken.SDKKey.Value = ""
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1), broken))
	path := inFolder(t, "envs.json")
	p := start(t, service(server.URL), "watch", "--once", "--output-file", path)
	p.exit(exitOK)
	assert.Contains(t, p.stderr.String(), `WARN: The configuration is not whole: environment "`+string(broken.EnvID)+`" has a malformed set of keys`)
	assert.Len(t, readOutput(t, path).Environments, 1, "the rest counts")
}

func TestOutputFileIsWrittenBeforeOnceEnds(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1)))
	path := inFolder(t, "envs.json")
	p := start(t, append(service(server.URL), "LOG_LEVEL=debug"), "watch", "--once", "--output-file", path)
	p.exit(exitOK)
	file := readOutput(t, path)
	assert.Equal(t, output.Format, file.Format)
	assert.Equal(t, output.Version, file.Version)
	require.Len(t, file.Environments, 2)
	assert.Equal(t, string(autoconfigtest.MakeEnvironment(1, 1).SDKKey.Value), file.Environments[0].SDKKey, "keys are whole")
	requireOwnerOnly(t, path)
	for _, key := range []string{testKey, file.Environments[0].SDKKey, file.Environments[1].MobileKey} {
		assert.NotContains(t, p.stdout.String()+p.stderr.String(), key, "keys are nowhere else")
	}
}

func TestOutputFileFollowsEachChange(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	first := autoconfigtest.MakeEnvironment(1, 1)
	server.Put(autoconfigtest.MakePut(first))
	path := inFolder(t, "envs.json")
	start(t, service(server.URL), "watch", "--output-file", path)
	has := func(want func(file output.File) bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			data, err := os.ReadFile(path)
			var file output.File
			return err == nil && assert.NoError(t, json.Unmarshal(data, &file), "never a part") && want(file)
		}, soon, time.Millisecond)
	}
	has(func(file output.File) bool { return len(file.Environments) == 1 })
	server.Patch(autoconfigtest.RotateSDKKey(first, "sdk-new", time.Now().Add(500*time.Millisecond)))
	has(func(file output.File) bool { return file.Environments[0].SDKKey == "sdk-new" })
	has(func(file output.File) bool { // the key has expired
		return file.Environments[0].ExpiringSDKKey == nil && len(file.Environments[0].AcceptedSDKKeys) == 1
	})
	for number := 2; number < 50; number++ {
		server.Patch(autoconfigtest.MakeEnvironment(number, 1))
	}
	has(func(file output.File) bool { return len(file.Environments) == 49 })
	server.Delete(first.EnvID, 9)
	has(func(file output.File) bool { return len(file.Environments) == 48 })
}

func TestAFailingOutputFileIsReportedAndTriedAgain(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	path := inFolder(t, "envs.json")
	p := start(t, service(server.URL), "watch", "--output-file", path)
	server.WaitForConnections(1, soon)
	require.NoError(t, os.Mkdir(path, 0o700))
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p.says(&p.stderr, "it is a folder; the next try is at the next change, or in 1s")
	require.NoError(t, os.Remove(path))
	p.says(&p.stderr, "INFO: the output file is written again")
	assert.Len(t, readOutput(t, path).Environments, 1)
}

func TestJSONLinesTellTheWholeStory(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	first := autoconfigtest.MakeEnvironment(1, 1)
	server.Put(autoconfigtest.MakePut(first))
	p := start(t, service(server.URL), "watch", "--format", "json", "--verbose")
	p.says(&p.stdout, "received-all")
	server.Comment(" hello")
	server.Patch(autoconfigtest.RotateSDKKey(first, "sdk-00000000-0000-4000-8000-0000000000b2", time.Now().Add(time.Hour)))
	p.says(&p.stdout, `"changed"`)
	server.DropConnections()
	p.says(&p.stdout, "recovered")
	assert.Equal(t, []string{"added", "received-all", "keepalive", "updated", "interrupted", "received-all", "recovered"}, p.changes())
	updated := p.lines()[3]
	assert.Equal(t, []string{"sdkKey", "expiringSdkKey", "acceptedSdkKeys"}, updated.Changed)
	assert.Equal(t, "…00b2", updated.Environment.SDKKey)
	assert.NotContains(t, p.stdout.String(), "sdk-0")
	assert.NotEmpty(t, p.lines()[4].Reason)
}

func TestARejectedKeyCanBeRetried(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.RejectKeys(401)
	p := start(t, service(server.URL), "watch", "--retry-rejected-key")
	p.says(&p.stderr, "connecting again in ")
	select {
	case <-p.ended:
		t.Fatal("the command has ended")
	default:
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	rejecting := autoconfigtest.NewServer(t)
	rejecting.SetKey("rel-another")
	silent := autoconfigtest.NewServer(t)
	ready := autoconfigtest.NewServer(t)
	ready.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	folder := t.TempDir()
	emptyKey := write(t, inFolder(t, "key"), "\n")
	older := write(t, inFolder(t, "older"), "rel-1\n")
	recording := write(t, inFolder(t, "a.sse"), ": hello\n")
	badRecording := write(t, inFolder(t, "b.sse"), ":!nonsense\n")
	tests := map[string]struct {
		environment []string
		args        []string
		code        int
		says        string
	}{
		"help flag":                {nil, []string{"watch", "--help"}, exitOK, ""},
		"no command":               {nil, nil, exitOK, ""},
		"version":                  {nil, []string{"version"}, exitOK, ""},
		"version flag":             {nil, []string{"--version"}, exitOK, ""},
		"completion of a shell":    {nil, []string{"completion", "bash"}, exitOK, ""},
		"done":                     {service(ready.URL), []string{"watch", "--once"}, exitOK, ""},
		"no key":                   {nil, []string{"watch"}, exitUsage, "set AUTO_CONFIG_KEY, or name a file with --key-file"},
		"unknown command":          {nil, []string{"wach"}, exitUsage, `unknown command "wach"`},
		"unknown flag":             {nil, []string{"watch", "--key", "rel-1"}, exitUsage, "unknown flag: --key"},
		"an argument":              {nil, []string{"watch", "rel-1"}, exitUsage, "Run 'relayconf watch --help' for usage"},
		"bad format":               {service(ready.URL), []string{"watch", "--format", "xml"}, exitUsage, "must be text or json"},
		"bad variables":            {[]string{"INIT_TIMEOUT=soon", "LOG_LEVEL=loud"}, []string{"watch"}, exitUsage, "LOG_LEVEL"},
		"bad proxy":                {append(service(ready.URL), "PROXY_CA_CERTS="+folder+"/missing"), []string{"watch"}, exitUsage, "PROXY_CA_CERTS"},
		"key file missing":         {service(ready.URL), []string{"watch", "--key-file", folder + "/missing"}, exitUsage, "could not read the key file"},
		"key as a file":            {service(ready.URL), []string{"watch", "--key-file", testKey}, exitUsage, "could not read the key file: open …"},
		"a key file's name":        {service(ready.URL), []string{"watch", "--key-file", folder + "/rel-production-key"}, exitUsage, "/rel-production-key"},
		"key as an argument":       {nil, []string{"watch", testKey}, exitUsage, `the argument "…c0de" is one too many`},
		"a key for a relay":        {nil, []string{"watch", "rel-0123456789abcdef0123456789abcdef"}, exitUsage, `the argument "…cdef" is one too many`},
		"key as a number":          {append(service(ready.URL), "INIT_TIMEOUT="+testKey), []string{"watch"}, exitUsage, "INIT_TIMEOUT"},
		"nothing given":            {service(ready.URL), []string{"watch", "--output-file", ""}, exitUsage, "--output-file is empty"},
		"no folder for output":     {service(ready.URL), []string{"watch", "--output-file", folder + "/missing/envs.json"}, exitUsage, "missing does not exist"},
		"key file empty":           {service(ready.URL), []string{"watch", "--key-file", emptyKey}, exitUsage, "is empty"},
		"demo with a cache":        {nil, []string{"watch", "--demo", "--cache-file", "a"}, exitUsage, "demo"},
		"a bad address for probes": {service(ready.URL), []string{"watch", "--health-addr", "foo"}, exitUsage, "--health-addr foo is no address"},
		"a demo with a key":        {nil, []string{"watch", "--demo", "--key-file", "key"}, exitUsage, "--demo and --key-file can't be used together"},
		"two caches":               {service(ready.URL), []string{"watch", "--cache-file", "a", "--cache-redis", "b"}, exitUsage, "can't be used together: leave one of them out"},
		"bad Redis URL":            {service(ready.URL), []string{"watch", "--cache-redis", "http://u:" + testKey + "@h"}, exitUsage, "should be redis, rediss, unix"},
		"older keys alone":         {service(ready.URL), []string{"watch", "--cache-older-key-file", older}, exitUsage, "without a cache"},
		"older keys missing":       {service(ready.URL), []string{"watch", "--cache-file", "a", "--cache-older-key-file", folder + "/missing"}, exitUsage, "could not read the key file"},
		"demo with a key":          {nil, []string{"watch", "--demo", "--key-file", emptyKey}, exitUsage, "demo"},
		"rejected key":             {service(rejecting.URL), []string{"watch"}, exitPermanent, "401"},
		"rejected key, once":       {service(rejecting.URL), []string{"watch", "--once"}, exitPermanent, "401"},
		"init timeout":             {service(silent.URL), []string{"watch", "--init-timeout", "100ms"}, exitInitTimeout, "no full configuration after 100ms"},
		"init timeout by env":      {append(service(silent.URL), "INIT_TIMEOUT=100ms"), []string{"watch"}, exitInitTimeout, "100ms"},
		"output into a folder":     {service(ready.URL), []string{"watch", "--output-file", folder}, exitUsage, "is a folder: name a file in it"},
		"output below a file":      {service(ready.URL), []string{"watch", "--output-file", emptyKey + "/envs.json"}, exitUsage, "is not a folder"},
		"mode alone":               {service(ready.URL), []string{"watch", "--output-mode", "0640"}, exitUsage, "of no use without --output-file"},
		"bad mode":                 {service(ready.URL), []string{"watch", "--output-mode", "0888"}, exitUsage, "an octal number"},
		"settle alone":             {service(ready.URL), []string{"watch", "--exec-settle", "1s"}, exitUsage, "of no use without --exec"},
		"negative settle":          {service(ready.URL), []string{"watch", "--exec-settle", "-1s"}, exitUsage, "can't be negative"},
		"no read timeout":          {service(ready.URL), []string{"watch", "--read-timeout", "0"}, exitUsage, "must be positive"},
		"no such protocol":         {service(ready.URL), []string{"watch", "--protocol-version", "0"}, exitUsage, "1 or more"},
		"hook failed, once":        {service(ready.URL), []string{"watch", "--once", "--exec", "exit 7"}, exitHook, "the hook failed in 2 of 2 runs"},
		"completion: no shell":     {nil, []string{"completion", "nosuch"}, exitUsage, "nosuch"},
		"completion":               {nil, []string{"completion"}, exitOK, ""},
		"help":                     {nil, []string{"help"}, exitOK, ""},
		"help for a command":       {nil, []string{"help", "cache", "show"}, exitOK, ""},
		"help: no command":         {nil, []string{"help", "nosuch"}, exitUsage, `no command "nosuch"`},
		"help: no subcommand":      {nil, []string{"help", "cache", "nosuch"}, exitUsage, `no command "cache nosuch"`},
		"an empty argument":        {nil, []string{"replay", ""}, exitUsage, "an argument is empty"},
		"replay: empty key":        {nil, []string{"replay", recording, "--key", ""}, exitUsage, "--key is empty"},
		"record: empty key file":   {service(ready.URL), []string{"record", folder + "/e.sse", "--key-file", ""}, exitUsage, "--key-file is empty"},
		"replay: no file":          {nil, []string{"replay"}, exitUsage, "the argument FILE is missing. Usage: relayconf replay FILE [flags]"},
		"replay: two files":        {nil, []string{"replay", recording, "two.sse"}, exitUsage, `the argument "two.sse" is one too many. Usage: relayconf replay FILE [flags]`},
		"record: no file":          {nil, []string{"record"}, exitUsage, "the argument FILE is missing. Usage: relayconf record FILE [flags]"},
		"fleet call: no function":  {nil, []string{"fleet", "call", "relay-7"}, exitUsage, "the argument FUNCTION is missing. Usage: relayconf fleet call NAME FUNCTION [ARGUMENT] [flags]"},
		"fleet list: an argument":  {nil, []string{"fleet", "list", "x"}, exitUsage, `the argument "x" is one too many. Usage: relayconf fleet list [flags]`},
		"replay: missing file":     {nil, []string{"replay", folder + "/missing"}, exitUsage, "could not open the recording"},
		"replay: bad file":         {nil, []string{"replay", badRecording}, exitUsage, "nonsense"},
		"replay: no recording":     {nil, []string{"replay", older}, exitUsage, "is not a recording of a stream"},
		"replay: bad speed":        {nil, []string{"replay", recording, "--speed", "-1"}, exitUsage, "speed"},
		"replay: no time":          {nil, []string{"replay", recording, "--shift-times"}, exitUsage, ":!recorded"},
		"replay: bad address":      {nil, []string{"replay", recording, "--addr", "256.0.0.1:1"}, exitUsage, "--addr"},
		"replay: address in use":   {nil, []string{"replay", recording, "--addr", strings.TrimPrefix(ready.URL, "http://")}, exitUnexpected, "is in use: give another --addr"},
		"replay: two keys":         {nil, []string{"replay", recording, "--key", "a", "--key-file", emptyKey}, exitUsage, "key-file"},
		"record: file exists":      {service(ready.URL), []string{"record", recording}, exitUsage, "--force"},
		"record: rejected key":     {service(rejecting.URL), []string{"record", folder + "/r.sse"}, exitPermanent, "401"},
		"record: init timeout":     {service(silent.URL), []string{"record", folder + "/i.sse", "--init-timeout", "100ms"}, exitInitTimeout, "100ms"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, test.environment, test.args...)
			p.exit(test.code)
			assert.Contains(t, p.stderr.String(), test.says)
			if test.code == exitOK {
				assert.NotEmpty(t, p.stdout.String())
			}
			assert.NotContains(t, p.stderr.String(), testKey)
		})
	}
}

// Nothing that was given to read is overwritten, and no two things are written to one file.
func TestFilesThatWouldBeOverwritten(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	folder := t.TempDir()
	key := write(t, filepath.Join(folder, "key"), testKey+"\n")
	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink(key, link))
	fresh, again := filepath.Join(folder, "new"), folder+"/./new"
	for name, args := range map[string][]string{
		"key and output":       {"--key-file", key, "--output-file", link},
		"key and cache":        {"--key-file", key, "--cache-file", key},
		"older keys and cache": {"--cache-older-key-file", key, "--cache-file", link},
		"output and cache":     {"--output-file", fresh, "--cache-file", again},
		"standard output":      {"--output-file", "/dev/stdout"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, service(server.URL), append([]string{"watch", "--once"}, args...)...)
			p.exit(exitUsage)
			assert.Regexp(t, "the same file|a regular file", p.stderr.String())
		})
	}
	content, err := os.ReadFile(key)
	require.NoError(t, err)
	assert.Equal(t, testKey+"\n", string(content))
	assert.NoFileExists(t, fresh)
}

func TestHelpListsTheExitCodesAndVariables(t *testing.T) {
	p := start(t, nil, "--help")
	p.exit(exitOK)
	for _, want := range []string{"Exit codes:", "AUTO_CONFIG_KEY", "PROXY_CA_CERTS", "CACHE_FILE, CACHE_REDIS_URL", "LOG_LEVEL", "watch --demo", "completion"} {
		assert.Contains(t, p.stdout.String(), want)
	}
	for line := range strings.Lines(p.stdout.String()) {
		assert.LessOrEqual(t, len(line), 121, line)
	}
}

func TestTheKeyFileGoesBeforeTheVariable(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.SetKey("rel-from-file")
	server.Put(autoconfigtest.MakePut())
	p := start(t, service(server.URL), "watch", "--once", "--key-file", write(t, inFolder(t, "key"), "rel-from-file\n"))
	p.exit(exitOK)
	assert.Equal(t, config.AutoConfigKey("rel-from-file"), config.AutoConfigKey(server.Requests()[0].Header.Get("Authorization")))
}

func readOutput(t *testing.T, path string) output.File {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var file output.File
	require.NoError(t, json.Unmarshal(data, &file))
	return file
}

// requireOutput waits until the output file has so many environments.
func requireOutput(t *testing.T, path string, environments int) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := os.Stat(path)
		return err == nil && len(readOutput(t, path).Environments) == environments
	}, soon, 5*time.Millisecond, "%d environments in the output file", environments)
}
