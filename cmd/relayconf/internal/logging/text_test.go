package logging

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
)

func TestTextIsForPeople(t *testing.T) {
	for _, row := range []struct {
		name string
		log  func(l *slog.Logger)
		want string // after the time
	}{
		{"a message", func(l *slog.Logger) { l.Info("hello") }, "INFO: hello\n"},
		{"attributes", func(l *slog.Logger) { l.Warn("hello", "path", `a "b"`, "n", 3, "error", errors.New("no")) },
			"WARN: hello (path: a \"b\", n: 3, error: no)\n"},
		{"a time and a duration", func(l *slog.Logger) {
			l.Info("hello", "at", time.Date(2027, 1, 2, 0, 30, 0, 0, time.FixedZone("", 3600)), "after", 90*time.Second)
		}, "INFO: hello (at: 2027-01-01T23:30:00.000Z, after: 1m30s)\n"},
		{"attributes of the logger", func(l *slog.Logger) {
			l = l.With("listener", "admin")
			l.With("a", 1).Info("one")
			l.With("b", 2).Info("two")
		}, "INFO: one (listener: admin, a: 1)\n" + now + "INFO: two (listener: admin, b: 2)\n"},
		{"groups", func(l *slog.Logger) { l.WithGroup("a").Info("hello", slog.Group("b", "c", 1), "d", 2) }, "INFO: hello (a.b.c: 1, a.d: 2)\n"},
		{"several lines", func(l *slog.Logger) { l.Error("Ended", "error", Lines("one\ntwo"), "code", 2) }, "ERROR: Ended (code: 2)\n  one\n  two\n"},
		{"a message of several lines", func(l *slog.Logger) { l.Error("one\ntwo\nthree\n", "n", 1) }, "ERROR: one (n: 1)\n  two\n  three\n"},
		{"one line", func(l *slog.Logger) { l.Error("Ended", "error", Lines("one")) }, "ERROR: Ended (error: one)\n"},
		{"below the level", func(l *slog.Logger) { l.Debug("hello") }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				row.log(New(&out, Text, ldlog.Info))
				want := row.want
				if want != "" {
					want = now + want
				}
				assert.Equal(t, want, out.String())
			})
		})
	}
}

// now is how the time of a synctest bubble begins a line.
const now = "2000-01-01T00:00:00.000Z "

func TestSeveralLinesAreAListInJSON(t *testing.T) {
	var out bytes.Buffer
	New(&out, JSON, ldlog.Info).Error("Ended", "error", Lines("one\ntwo"))
	assert.Contains(t, out.String(), `"error":["one","two"]`)
}
