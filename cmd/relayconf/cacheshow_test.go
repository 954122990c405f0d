package main

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

const keyVariable = "AUTO_CONFIG_KEY=" + testKey

func TestCacheShowPrintsWhatIsThereMaskedAndItsAge(t *testing.T) {
	t.Parallel()
	p := start(t, []string{keyVariable}, "cache", "show", "--cache-file", cached(t, testKey, twoEnvironments()...))
	p.exit(exitOK)
	assert.Regexp(t, `^confirmed at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, 2m ago: 2 environments, 1 filter
web/production "Production" \(5f1b…0001\)  key …0001, mobile key …0001, TTL 0s, version 1
web/staging "Staging" \(5f1b…0002\)  key …0002, mobile key …0002, TTL 0s, version 1
filter eu of project web \(web.eu\), version 3
$`, p.stdout.String())
	assert.Empty(t, p.stderr.String())
}

func TestCacheShowAsJSONHasStableNames(t *testing.T) {
	t.Parallel()
	rotated := autoconfigtest.RotateSDKKey(autoconfigtest.MakeEnvironment(1, 1), "sdk-00000000-new-00b1", time.Now().Add(-time.Second))
	path := cached(t, testKey, rotated)
	key := write(t, inFolder(t, "key"), testKey)
	p := start(t, []string{"CACHE_FILE=" + path}, "cache", "show", "--key-file", key, "--format", "json")
	p.exit(exitOK)
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &shown))
	assert.InDelta(t, 150, shown["ageSeconds"], 60)
	delete(shown, "ageSeconds")
	assert.NotEmpty(t, shown["savedAt"])
	delete(shown, "savedAt")
	assert.NotEmpty(t, shown["confirmedAt"])
	delete(shown, "confirmedAt")
	accepted := func(value string) []any {
		return []any{map[string]any{"name": "default", "value": value, "expiry": nil}}
	}
	assert.Equal(t, map[string]any{
		"formatVersion": 1.0,
		"environments": []any{map[string]any{
			"id": "5f1b0c7e0000000000000001", "projKey": "web", "projName": "Web shop", "envKey": "production",
			"envName": "Production", "sdkKey": "…00b1", "mobileKey": "…0001", "expiringSdkKey": nil,
			"acceptedSdkKeys": accepted("…00b1"), "acceptedMobileKeys": accepted("…0001"), "ttlSeconds": 0.0,
			"secureMode": false, "version": 2.0,
		}},
		"filters": []any{map[string]any{"id": "web.eu", "projKey": "web", "key": "eu", "version": 3.0}},
	}, shown, "what has expired is left out")
}

func TestCacheShowSaysWhyItCannotAndChangesNothing(t *testing.T) {
	t.Parallel()
	damaged := cached(t, testKey, twoEnvironments()...)
	data := must(os.ReadFile(damaged))
	data[len(data)-1] ^= 1
	write(t, damaged, string(data))
	another := cached(t, "rel-another", twoEnvironments()...)
	older := write(t, inFolder(t, "older"), "rel-another\n")
	none := inFolder(t, "none")
	const redisURL = "redis://:" + redisPassword + "@127.0.0.1:1/0?max_retries=-1"
	tests := map[string]struct {
		environment []string
		args        []string
		code        int
		says        string
	}{
		"no cache named":  {[]string{keyVariable}, nil, exitUsage, "name one with --cache-file or --cache-redis, or set CACHE_FILE"},
		"two caches":      {[]string{keyVariable, "CACHE_FILE=a", "CACHE_REDIS_URL=" + redisURL}, nil, exitUsage, "there is one cache only"},
		"two flags":       {[]string{keyVariable}, []string{"--cache-file", "a", "--cache-redis", "b"}, exitUsage, "can't be used together: leave one of them out"},
		"nothing there":   {[]string{keyVariable}, []string{"--cache-file", none}, exitUsage, "there is no cache in the file " + none + ": nothing has been saved there yet"},
		"another key":     {[]string{keyVariable}, []string{"--cache-file", another}, exitUsage, "If the auto-config key was changed, give the former one"},
		"an older key":    {[]string{keyVariable}, []string{"--cache-file", another, "--cache-older-key-file", older}, exitOK, ""},
		"damaged":         {[]string{keyVariable}, []string{"--cache-file", damaged}, exitUsage, "it is damaged"},
		"a folder":        {[]string{keyVariable}, []string{"--cache-file", t.TempDir()}, exitUnexpected, "is not a regular file"},
		"empty file":      {[]string{keyVariable, "CACHE_FILE=" + another}, []string{"--cache-file", ""}, exitUsage, "--cache-file is empty"},
		"empty key file":  {[]string{keyVariable}, []string{"--cache-file", another, "--key-file", ""}, exitUsage, "--key-file is empty"},
		"no key":          {nil, []string{"--cache-file", damaged}, exitUsage, "set AUTO_CONFIG_KEY"},
		"bad older keys":  {[]string{keyVariable}, []string{"--cache-file", damaged, "--cache-older-key-file", damaged}, exitUsage, "must hold nothing but keys"},
		"bad format":      {[]string{keyVariable}, []string{"--cache-file", damaged, "--format", "xml"}, exitUsage, "must be text or json"},
		"no Redis server": {[]string{keyVariable, "CACHE_REDIS_URL=" + redisURL}, nil, exitUnexpected, "could not load the configuration from Redis: dial tcp"},
		"bad Redis URL":   {[]string{keyVariable, "CACHE_REDIS_URL=redis//:" + redisPassword + "@h"}, nil, exitUsage, "the Redis URL can't be used"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, test.environment, append([]string{"cache", "show"}, test.args...)...)
			p.exit(test.code)
			assert.Contains(t, p.stderr.String(), test.says)
			for _, secret := range []string{testKey, redisPassword, "rel-another"} {
				assert.NotContains(t, p.stdout.String()+p.stderr.String(), secret)
			}
		})
	}
	assert.Equal(t, data, must(os.ReadFile(damaged)), "it stays where it is")
}
