package logging

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimesAreInUTC(t *testing.T) {
	var out bytes.Buffer
	paris := time.FixedZone("Paris", 3600)
	New(&out, JSON, ldlog.Info).Info("hello", "at", time.Date(2027, 1, 2, 0, 30, 0, 0, paris))
	var line map[string]string
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "2027-01-01T23:30:00.000Z", line["at"])
	written, err := time.Parse(time.RFC3339, line["time"])
	require.NoError(t, err)
	assert.Equal(t, time.UTC, written.Location())
	assert.Equal(t, "hello", line["msg"])
	assert.Equal(t, "INFO", line["level"])

	out.Reset()
	New(&out, Text, ldlog.Info).Info("hello")
	assert.Regexp(t, `^\S+Z INFO: hello\n$`, out.String())
}

func TestLevels(t *testing.T) {
	for _, row := range []struct {
		level ldlog.LogLevel
		want  string
	}{
		{ldlog.Debug, "debug info warn error"},
		{ldlog.Info, "info warn error"},
		{ldlog.Warn, "warn error"},
		{ldlog.Error, "error"},
		{ldlog.None, ""},
	} {
		t.Run(row.level.Name(), func(t *testing.T) {
			var own, ldlogs bytes.Buffer
			logger := New(&own, JSON, row.level)
			logger.Debug("debug")
			logger.Info("info")
			logger.Warn("warn")
			logger.Error("error")
			loggers := Loggers(New(&ldlogs, JSON, row.level), row.level)
			loggers.Debug("debug")
			loggers.Infof("%s", "info")
			loggers.Warn("warn")
			loggers.Errorf("err%s", "or")
			assert.Equal(t, row.want, messages(t, &own))
			assert.Equal(t, row.want, messages(t, &ldlogs), "the same levels and texts, without a prefix")
		})
	}
}

func messages(t *testing.T, log *bytes.Buffer) string {
	var all []string
	for line := range strings.Lines(log.String()) {
		var parsed struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &parsed))
		assert.Equal(t, strings.ToUpper(parsed.Msg), parsed.Level)
		all = append(all, parsed.Msg)
	}
	return strings.Join(all, " ")
}
