package autoconfigtest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// patchWithExpiry is a patch event with an expiry time as it stands.
func patchWithExpiry(time string) string {
	return `event: patch` + "\n" + `data: {"path":"/environments/1","data":{"sdkKey":{"value":"a","expiring":{"value":"b","timestamp":` +
		time + `}}}}` + "\n\n"
}

func TestShiftTimesMovesExpiryTimesAndNothingElse(t *testing.T) {
	patch := func(data string) string { return "event: patch\ndata: " + data + "\n\n" }
	tests := map[string]struct{ before, after string }{
		"an expiring key": {patchWithExpiry("90000"), patchWithExpiry("100000")},
		"the key lists": {
			patch(`{"data":{"sdkKeys":[{"expiry":null},{"expiry":1000},{"key":"x","expiry":9}],"mobileKeys":[{"expiry":7}]}}`),
			patch(`{"data":{"sdkKeys":[{"expiry":null},{"expiry":11000},{"key":"x","expiry":10009}],"mobileKeys":[{"expiry":10007}]}}`),
		},
		"all environments of a put": {
			`event: put` + "\r\n" + `data:{"data":{"environments":{"sdkKey":{"sdkKey":{"expiring":{"timestamp":1}}},"b":{"sdkKeys":[{"expiry":2}],"version":1}}}}` + "\r\n\r\n",
			`event: put` + "\r\n" + `data:{"data":{"environments":{"sdkKey":{"sdkKey":{"expiring":{"timestamp":10001}}},"b":{"sdkKeys":[{"expiry":10002}],"version":1}}}}` + "\r\n\r\n",
		},
		"data over several lines, with a comment and a pause between": {
			"data: {\"data\":{\ndata:\"sdkKey\": {\"expiring\"\n: c\ndata: :{ \"timestamp\"\t:\n:!pause 1s\ndata:  5 ,\"x\":5}}}}\nevent: patch\n\n",
			"data: {\"data\":{\ndata:\"sdkKey\": {\"expiring\"\n: c\ndata: :{ \"timestamp\"\t:\n:!pause 1s\ndata:  10005 ,\"x\":5}}}}\nevent: patch\n\n",
		},
		"an event whose CRLF has a pause within": {
			"event: patch\r:!pause 1ms\n\ndata: {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":1}}}}\n\n",
			"event: patch\r:!pause 1ms\n\ndata: {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":10001}}}}\n\n",
		},
		"an event after a byte order mark": {
			":!drop\n\ufeff" + patchWithExpiry("1"), ":!drop\n\ufeff" + patchWithExpiry("10001"),
		},
		"not malformed JSON": {patch(`{"data":{"sdkKey":{"expiring":{"timestamp":1}}}`), ""},
		"not other events":   {"event: policy-note\ndata: {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":1}}}}\n\n", ""},
		"not a comment":      {": {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":1}}}}\n", ""},
		"not the same name elsewhere": {
			patch(`{"timestamp":1,"data":{"timestamp":1,"expiry":1,"sdkKey":{"timestamp":1,"expiring":{"expiry":1}},"sdkKeys":{"a":{"expiry":1}},"other":[{"expiry":1}]}}`), ""},
		"not what is no time":     {patch(`{"data":{"sdkKeys":[{"expiry":-5},{"expiry":1e3},{"expiry":1.5},{"expiry":"1"},{"expiry":9223372036854775807}]}}`), ""},
		"not numbers further out": {patch("1") + patch(`{"data":1}`) + "event: put\ndata: {\"data\":1,\"x\":{\"y\":1}}\n\nevent: put\ndata: 1\n\n", ""},
		"not an event cut off":    {"event: patch\ndata: {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":1}}}}\n:!drop\n\n", ""},
		"not an event at the end": {"event: patch\ndata: {\"data\":{\"sdkKey\":{\"expiring\":{\"timestamp\":1}}}}\n", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.after == "" {
				test.after = test.before
			}
			r := parse(t, test.before)
			assert.Equal(t, test.after, write(t, r.ShiftTimes(10*time.Second)))
			assert.Equal(t, test.before, write(t, r), "the recording itself has changed")
		})
	}
}

func TestShiftTimesBackwardsStopsAtZero(t *testing.T) {
	assert.Equal(t, patchWithExpiry("1"), write(t, parse(t, patchWithExpiry("10001")).ShiftTimes(-10*time.Second)))
	assert.Equal(t, patchWithExpiry("0"), write(t, parse(t, patchWithExpiry("9999")).ShiftTimes(-10*time.Second)))
}

func TestShiftTimesMovesTheTimeOfTheRecordingToo(t *testing.T) {
	r := parse(t, ":!recorded 2026-11-20T12:00:00Z\n").ShiftTimes(time.Hour)
	assert.Equal(t, ":!recorded 2026-11-20T13:00:00Z\n", write(t, r))
	assert.Zero(t, parse(t, ": hello\n").ShiftTimes(time.Hour).Recorded)
}
