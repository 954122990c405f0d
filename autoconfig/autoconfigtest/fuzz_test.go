package autoconfigtest

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func addRecordings(f *testing.F) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(f, err)
	f.Add(captured)
	for _, text := range []string{
		"", "\ufeff: x\n", ":!recorded 2026-11-20T12:00:00Z\n:!pause 1.5s\r\n:!drop\r:!status 503\n:!!x\n",
		"a\r:!recorded 2026-11-20T12:00:00Z\n\n", patchWithExpiry("1790000000000"), reconnectEvent + "data",
		"event: put\r\ndata: {\"data\":{\"environments\":{\"a\":{\"sdkKeys\":[{\"expiry\":1}]}}}}\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
}

// What parses is written so that it parses equal, and is divided into segments without losing a byte.
func FuzzParseRecording(f *testing.F) {
	addRecordings(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRecording(bytes.NewReader(text))
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "line "), err)
			return
		}
		require.Equal(t, r, parse(t, write(t, r)))
		var lines, sent []byte
		for _, it := range r.items {
			lines = append(lines, it.line...)
		}
		for _, s := range segments(r.items) {
			for _, step := range s.steps {
				sent = append(sent, step.send...)
			}
		}
		require.Equal(t, string(lines), string(sent))
	})
}

// Shifting changes digits only, and shifting back restores what was not near the limits.
func FuzzShiftTimes(f *testing.F) {
	addRecordings(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRecording(bytes.NewReader(text))
		if err != nil {
			return
		}
		r.Recorded = time.Time{}
		before := write(t, &Recording{items: r.items})
		shifted := r.ShiftTimes(time.Hour)
		require.Equal(t, withoutDigits(before), withoutDigits(write(t, shifted)))
		require.Equal(t, before, write(t, r), "the recording itself has changed")
		require.Equal(t, before, write(t, r.ShiftTimes(0)))
		if !hugeNumber.MatchString(before) {
			require.Equal(t, before, write(t, shifted.ShiftTimes(-time.Hour)))
		}
	})
}

// hugeNumber is near the limit, where a time is moved in one direction only.
var hugeNumber = regexp.MustCompile(`[0-9]{19}`)

func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
