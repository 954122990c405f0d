package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServeDemoShowsChangesAndEndsByItself(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	p := start(t, []string{"AUTO_CONFIG_KEY=rel-real", "STREAM_URI=nonsense", "CACHE_FILE=/nowhere/cache",
		"HTTP_PROXY=http://127.0.0.1:1", "TMPDIR=" + temporary, "TMP=" + temporary}, "serve", "--demo")
	p.says(&p.stdout, "# The SDK key of web/production is rotated")
	out := p.stdout.String()
	page := regexp.MustCompile(`The page: +(http://127\.0\.0\.1:\d+/)\n`).FindStringSubmatch(out)
	require.NotNil(t, page, "the page is named before the first change")
	code, body := get(t, page[1])
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, "<title>relayconf</title>")
	command := regexp.MustCompile(`The fleet: +relayconf (fleet list --admin-addr .*)\n`).FindStringSubmatch(out)
	require.NotNil(t, command)
	require.Eventually(t, func() bool { // a relay is behind for a moment after each change
		list := start(t, nil, strings.Fields(command[1])...)
		<-list.ended
		for _, name := range demoRelayNames {
			if !regexp.MustCompile(`(?m)^` + name + ` +in sync +127\.0\.0\.1:\d+ +\S+ ago +\S+ ms`).MatchString(list.stdout.String()) {
				return false
			}
		}
		return true
	}, soon, 50*time.Millisecond)

	p.exit(exitOK)
	out = p.stdout.String()
	for _, want := range []string{"eu-1    ", "us-1    ", "shop-1  ", "received all: 3 environments", "received all: 1 environment\n",
		"All 3 relays have applied it.", "key rotated", "2 of 3 relays have applied it; missing:\n  us-1 is not connected", "expired",
		"added    shop/test", "TTL 5m -> 10m", "removed  web/staging", "interrupted", "shop-1  ended: ", "401", "That was the demo"} {
		assert.Contains(t, out, want)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "shop-1 ") {
			assert.NotContains(t, line, "web/", "the relay of the shop sees its project alone")
		}
	}
	assert.NotContains(t, out, "\x1b", "no colour without a terminal")
	assert.NotContains(t, out, "sdk-0", "keys are masked")
	assert.Contains(t, p.stderr.String(), "environments.yaml:8: ttlSeconds must be a whole number")
	assert.Empty(t, must(os.ReadDir(temporary)), "the files are gone")
}

func TestServeDemoShowsSomethingWithinTenSeconds(t *testing.T) {
	const rotated, stopped = 0, 1 // indexes in demoStory
	assert.Contains(t, demoStory[rotated].remark, "rotated")
	assert.Contains(t, demoStory[stopped].remark, "stopped")
	assert.LessOrEqual(t, (stopped+1)*firstDemoPause, 10*time.Second)
	assert.LessOrEqual(t, time.Duration(len(demoStory)+1)*firstDemoPause, 20*time.Second)
	assert.Less(t, demoGrace, time.Duration(len(demoStory))*firstDemoPause, "a key expires before the end")
}
