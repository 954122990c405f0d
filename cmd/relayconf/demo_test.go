package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

func TestDemoShowsEveryKindOfChangeAndEndsByItself(t *testing.T) {
	t.Parallel()
	// What is set for the real service must not get in its way.
	p := start(t, []string{"AUTO_CONFIG_KEY=rel-real", "STREAM_URI=nonsense", "PROXY_URL=http://127.0.0.1:1",
		"HTTP_PROXY=http://127.0.0.1:1"}, "watch", "--demo", "--format", "json")
	p.exit(exitOK)
	changes := p.changes()
	for _, kind := range []change.Kind{change.Added, change.Updated, change.Removed, change.KeyExpired,
		change.MobileKeyExpired, change.FilterAdded, change.FilterRemoved, change.ReceivedAll, change.KeepAlive,
		change.Interrupted, change.Recovered, change.CacheLoaded, change.StreamTookOver} {
		assert.Contains(t, changes, string(kind))
	}
	rotation := -1
	for i, line := range p.lines() {
		if line.Change == "updated" && strings.Contains(strings.Join(line.Changed, " "), "sdkKey") && rotation < 0 {
			rotation = i
		}
		if line.Change == "key-expired" {
			assert.Greater(t, i, rotation)
		}
	}
	assert.GreaterOrEqual(t, rotation, 0, "a key is rotated")
	assert.Equal(t, []string{"cache-loaded", "added", "added", "filter-added", "received-all", "stream-took-over",
		"updated", "removed", "received-all"}, changes[slices.Index(changes, "cache-loaded"):], "the second act")
	assert.Contains(t, p.stderr.String(), "AUTO_CONFIG_KEY=rel-... relayconf watch", "words go to standard error")
}

func TestDemoSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	p := start(t, []string{"TMPDIR=" + temporary, "TMP=" + temporary}, "watch", "--demo")
	p.exit(exitOK)
	out := p.stdout.String()
	assert.Contains(t, out, "received all: 3 environments, 1 filter")
	assert.Contains(t, out, "keepalive still here")
	assert.Contains(t, out, "key rotated …00b1, old key …0001 expires ")
	assert.Contains(t, out, "expired  key …0001 of web/production")
	assert.Contains(t, out, "interrupted: the service ended the connection")
	assert.Contains(t, out, "recovered after ")
	assert.Regexp(t, `(?s)received all.*\n`+demoRestart+`\n[^\n]+  started from the cache: 2 environments, confirmed .* ago\n.*`+
		`received all from the cache: 2 environments, 1 filter\n.*the stream has taken over from the cache\n.*removed`, out)
	assert.Empty(t, must(os.ReadDir(temporary)), "the cache is gone")
	assert.True(t, strings.HasSuffix(out, demoGoodbye+"\n"))
	assert.NotContains(t, out, "\x1b", "no colour without a terminal")
	assert.NotContains(t, out, "sdk-0", "keys are masked")
	assert.NotContains(t, out, lastRemark)
	assert.NotContains(t, out, restartRemark)
	assert.Empty(t, p.stderr.String())
}

func TestDemoTakesAboutSeventeenSeconds(t *testing.T) {
	recording, err := autoconfigtest.ParseRecording(strings.NewReader(demoRecording))
	require.NoError(t, err)
	assert.False(t, recording.Recorded.IsZero())
	var pauses time.Duration
	for line := range strings.Lines(demoRecording) {
		if text, isPause := strings.CutPrefix(line, ":!pause "); isPause {
			pause, err := time.ParseDuration(strings.TrimSpace(text))
			require.NoError(t, err)
			pauses += pause
		}
	}
	// The two reconnections take 1 s and 1.5 s in the mean, and the two that the second act needs 0.75 s and 1.5 s.
	assert.LessOrEqual(t, pauses, 12250*time.Millisecond)
}
