package hub_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

// logLine is a line of the hub's log.
type logLine struct {
	Level, Msg, Key, Reason, Address, LastAddress string
	Times                                         int
}

// logOutput keeps the log.
type logOutput struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *logOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// linesOf returns the lines since the last call.
func linesOf(t *testing.T, o *logOutput) (lines []logLine) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	for text := range strings.Lines(o.text.String()) {
		var line logLine
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		lines = append(lines, line)
	}
	o.text.Reset()
	return lines
}

func TestRefusedRelaysAreLoggedAtOnceAndThenInSummary(t *testing.T) {
	var out logOutput
	inMemory(t, func(t *testing.T, m *memory) {
		for range 50 {
			m.open(t, "rel-unknown", "")
		}
		first := linesOf(t, &out)
		require.Len(t, first, 1)
		assert.Equal(t, logLine{Level: "WARN", Msg: "A relay was refused", Key: "sha256:2db0b50c…", Address: "pipe",
			Reason: "the key is not known to this hub"}, first[0])
		time.Sleep(11 * time.Second)
		rest := linesOf(t, &out)
		require.Len(t, rest, 1)
		assert.Equal(t, 49, rest[0].Times)
		assert.Equal(t, "pipe", rest[0].LastAddress)
		time.Sleep(time.Minute)
		assert.Empty(t, linesOf(t, &out))
		m.open(t, "rel-unknown", "")
		assert.Len(t, linesOf(t, &out), 1, "at once again")
	}, noKeepalives, hub.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))))
}

func TestRandomKeysDoNotFloodTheLog(t *testing.T) {
	var out logOutput
	inMemory(t, func(t *testing.T, m *memory) {
		for i := range 500 {
			m.open(t, fmt.Sprint("rel-", i), "")
		}
		time.Sleep(time.Second)
		assert.Len(t, linesOf(t, &out), 101)
		time.Sleep(10 * time.Second)
		rest := linesOf(t, &out)
		require.Len(t, rest, 1)
		assert.Equal(t, "(others)", rest[0].Key)
		assert.Equal(t, 399, rest[0].Times)
	}, noKeepalives, hub.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))))
}

func TestRevokedStreamsAreLogged(t *testing.T) {
	var out logOutput
	inMemory(t, func(t *testing.T, m *memory) {
		for range 3 {
			m.open(t, testKey, "").event(t)
		}
		require.NoError(t, m.SetKeys([]hub.Key{{Name: "other", Key: "rel-other"}}))
		first := linesOf(t, &out)
		require.Len(t, first, 1)
		assert.Equal(t, logLine{Level: "WARN", Msg: "A relay's stream was ended", Key: "all", Address: "pipe",
			Reason: "its key was revoked or changed"}, first[0])
		time.Sleep(11 * time.Second)
		rest := linesOf(t, &out)
		require.Len(t, rest, 1)
		assert.Equal(t, 2, rest[0].Times)
	}, noKeepalives, hub.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))))
}
