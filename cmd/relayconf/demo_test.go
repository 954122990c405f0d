package main

import (
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
		change.Interrupted, change.Recovered} {
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
	assert.Contains(t, p.stderr.String(), "AUTO_CONFIG_KEY=rel-... relayconf watch", "words go to standard error")
}

func TestDemoSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "watch", "--demo")
	p.exit(exitOK)
	out := p.stdout.String()
	assert.Contains(t, out, "received all: 3 environments, 1 filter")
	assert.Contains(t, out, "keepalive still here")
	assert.Contains(t, out, "key rotated …00b1, old key …0001 expires ")
	assert.Contains(t, out, "expired  key …0001 of web/production")
	assert.Contains(t, out, "interrupted: the service ended the connection")
	assert.Contains(t, out, "recovered after ")
	assert.True(t, strings.HasSuffix(out, demoGoodbye+"\n"))
	assert.NotContains(t, out, "\x1b", "no colour without a terminal")
	assert.NotContains(t, out, "sdk-0", "keys are masked")
	assert.NotContains(t, out, lastRemark)
	assert.Empty(t, p.stderr.String())
}

func TestDemoTakesAboutFifteenSeconds(t *testing.T) {
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
	// The two reconnections take up to 1 s and 2 s.
	assert.LessOrEqual(t, pauses, 15*time.Second)
}
