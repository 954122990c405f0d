package autoconfigtest

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parse reads a recording that is known to be good.
func parse(t testing.TB, text string) *Recording {
	t.Helper()
	r, err := ParseRecording(strings.NewReader(text))
	require.NoError(t, err)
	return r
}

// write returns the text of a recording.
func write(t testing.TB, r *Recording) string {
	t.Helper()
	var text bytes.Buffer
	n, err := r.WriteTo(&text)
	require.NoError(t, err)
	require.EqualValues(t, text.Len(), n)
	return text.String()
}

func TestParseRecordingNamesTheLineOfABadDirective(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"unknown":              {": hello\n\n:!puase 1s\n", `line 3 of the recording: there is no directive "puase"`},
		"unknown after CRLF":   {"data: x\r\n\r\n:!x\r\n", `line 3 of the recording: there is no directive "x"`},
		"unknown after CR":     {"data: x\r\r:!x\r", `line 3 of the recording: there is no directive "x"`},
		"none":                 {":!\n", `line 1 of the recording: there is no directive ""`},
		"with a space":         {":! drop\n", `there is no directive ""`},
		"pause without a time": {":!pause\n", `pause needs a duration such as 1.5s, not ""`},
		"pause without a unit": {":!pause 2\n", `pause needs a duration such as 1.5s, not "2"`},
		"negative pause":       {":!pause -1s\n", `a pause can't be negative: "-1s"`},
		"drop with argument":   {":!drop now\n", `drop takes no argument, but there is "now"`},
		"status in words":      {":!status gone\n", `status needs an HTTP status from 200 to 599, not "gone"`},
		"status too low":       {":!status 101\n", `not "101"`},
		"status too high":      {":!status 600\n", `not "600"`},
		"recorded, no time":    {":!recorded yesterday\n", `recorded needs a time such as 2026-11-20T12:00:00Z, not "yesterday"`},
		"recorded at no time":  {":!recorded 0001-01-01T00:00:00Z\n", "within the years 1 to 9999"},
		"recorded out of UTC":  {":!recorded 9999-12-31T23:00:00-02:00\n", "within the years 1 to 9999"},
		"recorded twice": {
			":!recorded 2026-11-20T12:00:00Z\n\n:!recorded 2026-11-20T12:00:00Z\n",
			"line 3 of the recording: it says when it was recorded already in line 1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRecording(strings.NewReader(test.text))
			assert.ErrorContains(t, err, test.want)
		})
	}
	t.Run("the file can't be read", func(t *testing.T) {
		cause := errors.New("disk on fire")
		_, err := ParseRecording(iotest.ErrReader(cause))
		assert.ErrorIs(t, err, cause)
	})
}

func TestParseRecordingKnowsWhenItWasRecorded(t *testing.T) {
	r := parse(t, ": hello\n:!recorded 2026-11-20T13:00:00.5+01:00\n")
	assert.Equal(t, time.Date(2026, 11, 20, 12, 0, 0, 500_000_000, time.UTC), r.Recorded)
	assert.Zero(t, parse(t, ": hello\n").Recorded)
}

func TestRecordingIsWrittenAsItWasRead(t *testing.T) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(t, err)
	tests := map[string]string{
		"nothing":           "",
		"the captured file": string(captured),
		"all directives": ":!recorded 2026-11-20T12:00:00Z\nevent: put\n:!pause 1.5s\ndata: {}\n\n:!drop\n" +
			":!status 503\n:!!not a directive\n: comment\n",
		"odd line ends":          "event: put\r\ndata: {}\r\n\r\n: x\rdata: y\r\r:!drop\n\n\n",
		"no end":                 "data: {",
		"bytes that are no text": "data: \xff\xfe\x00\n\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			r := parse(t, text)
			assert.Equal(t, text, write(t, r))
			assert.Equal(t, r, parse(t, write(t, r)))
		})
	}
	t.Run("with a time that was set", func(t *testing.T) {
		r := parse(t, ": hello\n")
		r.Recorded = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		assert.Equal(t, ":!recorded 2026-11-20T12:00:00Z\n: hello\n", write(t, r))
	})
	t.Run("without the byte order mark", func(t *testing.T) {
		assert.Equal(t, ": hello\n", write(t, parse(t, "\ufeff: hello\n")))
	})
}
