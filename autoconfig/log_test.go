package autoconfig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/memnet"
)

// logged returns the lines at a level since it was last called.
func (r *rig) logged(level ldlog.LogLevel) (lines []string) {
	synctest.Wait()
	all := r.log.GetAllOutput()
	for _, line := range all[r.logSeen:] {
		if line.Level == level {
			lines = append(lines, line.Message)
		}
	}
	r.logSeen = len(all)
	return lines
}

func TestLogChanges(t *testing.T) {
	const names = `"envKey":"production","projKey":"web"`
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("")
		r.logged(ldlog.Info)
		for _, step := range []struct {
			name, event string
			level       ldlog.LogLevel
			want        []string
		}{
			{"added by a put", eventText(PutEvent, putWith([]string{listedEnv("a", 1, names)}, []string{member("f", filter("f", 1))})), ldlog.Info,
				[]string{"Added environment a (web/production) at version 1", "Added filter f"}},
			{"added by a patch", eventText(PatchEvent, patchEnv("b", 1, names)), ldlog.Info, []string{"Added environment b (web/production) at version 1"}},
			{"updated, with the members that differ", eventText(PatchEvent, patchEnv("a", 5, names, `"envName":"new"`, `"defaultTtl":3`)), ldlog.Info,
				[]string{"Updated environment a (web/production) to version 5: envName, defaultTtl"}},
			{"a new version and nothing else", eventText(PatchEvent, patchEnv("b", 2, names, `"unknown":1`)), ldlog.Info,
				[]string{"Updated environment b (web/production) to version 2: no member that is known here"}},
			{"an old patch", eventText(PatchEvent, patchEnv("a", 4, names)), ldlog.Debug, []string{`Ignored "a" at version 4: version 5 is known`}},
			{"an old delete", eventText(DeleteEvent, deletion("/environments/a", 3)), ldlog.Debug, []string{`Ignored "a" at version 3: version 5 is known`}},
			{"an old environment in a put", eventText(PutEvent, putWith([]string{listedEnv("a", 4), listedEnv("b", 2, names, `"unknown":1`)}, []string{member("f", filter("f", 1))})), ldlog.Debug,
				[]string{`Ignored "a" at version 4: version 5 is known`}},
			{"deleted", eventText(DeleteEvent, deletion("/environments/a", 6)), ldlog.Info, []string{"Removed environment a (web/production)"}},
			{"deleted, though it was not known", eventText(DeleteEvent, deletion("/environments/x", 1)), ldlog.Info, nil},
			{"a filter deleted", eventText(DeleteEvent, deletion("/filters/f", 2)), ldlog.Info, []string{"Removed filter f"}},
			{"removed by a put", eventText(PutEvent, put()), ldlog.Info, []string{"Removed environment b (web/production)"}},
			{"a misplaced environment", eventText(PatchEvent, patch("y", env("z", 1))), ldlog.Warn, []string{`environment ignored: it is listed as "y", but its envID is "z"`}},
			{"a new connection is asked for", eventText(ReconnectEvent, "{}"), ldlog.Info, []string{"The service asks for a new connection"}},
		} {
			e.send(step.event)
			got := r.logged(step.level)
			if step.level == ldlog.Debug && len(got) > 0 {
				got = got[1:] // the event itself
			}
			if step.name == "a new connection is asked for" && len(got) == 2 {
				assert.Contains(t, got[1], "connecting again in")
				got = got[:1]
			}
			if len(step.want) == 0 {
				assert.Empty(t, got, step.name)
				continue
			}
			assert.Equal(t, step.want, got, step.name)
		}
	}, WithProtocolVersion(2))
}

// A relay that embeds the library may log to a terminal, and its log is read by lines.
func TestLogLinesAreWholeAndSteerNoTerminal(t *testing.T) {
	const evil = `a\nERROR: forged\u001b[2J\u009b2J\u007f\u202e\u2066`
	inBubble(t, func(t *testing.T, r *rig) {
		env := func(version int, more string) string {
			return fmt.Sprintf(`{"envID":"%[1]s","envKey":"%[1]s","projKey":"%[1]s","sdkKey":{"value":"k"%[2]s},"version":%[3]d}`, evil, more, version)
		}
		patch := func(version int, more string) string {
			return eventText(PatchEvent, `{"path":"/environments/`+evil+`","data":`+env(version, more)+`}`)
		}
		e := r.service.stream(eventText(PutEvent, `{"path":"/","data":{"environments":{"`+evil+`":`+env(1, "")+`},"filters":{"`+evil+`":`+filter("f", 1)+`}}}`))
		expiring := fmt.Sprintf(`,"expiring":{"value":"sdk-0000%s","timestamp":%d}`, evil, time.Now().Add(time.Second).UnixMilli())
		e.send(patch(2, expiring) + patch(1, ""))
		time.Sleep(time.Second)
		e.send(eventText(PutEvent, put()))
		synctest.Wait()
		all := r.log.GetAllOutput()
		for _, want := range []string{"Added environment a", "Added filter a", "Updated environment a", `Ignored "a`, "Removed environment a", "Removed filter a", "SDK key …"} {
			assert.True(t, slices.ContainsFunc(all, func(line ldlogtest.MockLogItem) bool { return strings.HasPrefix(line.Message, want) }), want)
		}
		for _, line := range all {
			for _, c := range line.Message {
				require.True(t, unicode.IsPrint(c), "%+q", line.Message)
			}
		}
	}, WithProtocolVersion(2))
}

func TestLogKeysThatExpire(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, expiring("a", "sdk-old-key-0001", fromNow(time.Second)),
			fmt.Sprintf(`"mobileKeys":[{"value":"mob-a"},{"value":"mob-old-key-0002","expiry":%d}]`, time.Now().Add(2*time.Second).UnixMilli())))))
		r.logged(ldlog.Info)
		time.Sleep(3 * time.Second)
		assert.Equal(t, []string{"SDK key …0001 of environment a has expired", "Mobile key …0002 of environment a has expired"}, r.logged(ldlog.Info))
	})
}

func TestLogManyChangesInOneLine(t *testing.T) {
	many := func(n, version int) string {
		var environments []string
		for i := range n {
			environments = append(environments, listedEnv(fmt.Sprintf("%04d", i), version))
		}
		return eventText(PutEvent, put(environments...))
	}
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("")
		r.logged(ldlog.Info)
		e.send(many(mostLogged-1, 1)) // and the end of the put
		assert.Len(t, r.logged(ldlog.Info), mostLogged-1)
		e.send(many(mostLogged, 2))
		assert.Equal(t, []string{"Environments: 1 added, 19 updated, 0 removed; filters: 0 added, 0 removed"}, r.logged(ldlog.Info))
		var filters []string
		for i := range mostLogged {
			filters = append(filters, member(fmt.Sprint(i), filter("f", 1)))
		}
		e.send(eventText(PutEvent, putWith(nil, filters)))
		assert.Equal(t, []string{"Environments: 0 added, 0 updated, 20 removed; filters: 20 added, 0 removed"}, r.logged(ldlog.Info))
	})
	t.Run("tombstones of a snapshot are no removals", func(t *testing.T) {
		prepare := func(t *testing.T) *memory {
			m := storedWithTexts(t)
			for i := range mostLogged {
				m.stored.Tombstones.Environments[config.EnvironmentID(fmt.Sprint("gone", i))] = 1
			}
			return m
		}
		withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
			assert.Contains(t, r.logged(ldlog.Info), "Environments: 2 added, 0 updated, 0 removed; filters: 0 added, 0 removed")
		})
	})
}

func TestLogLevelOfChanges(t *testing.T) {
	change := eventText(PutEvent, put(listedEnv("a", 1)))
	for _, test := range []struct {
		name    string
		options []Option
		at      ldlog.LogLevel
	}{
		{"by default", nil, ldlog.Info},
		{"debug", []Option{WithChangeLogLevel(ldlog.Debug)}, ldlog.Debug},
		{"warn", []Option{WithChangeLogLevel(ldlog.Warn)}, ldlog.Warn},
		{"none", []Option{WithChangeLogLevel(ldlog.None)}, ldlog.None},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.stream(change)
				synctest.Wait()
				for level := ldlog.Debug; level < ldlog.None; level++ {
					found := false
					for _, line := range r.log.GetOutput(level) {
						found = found || strings.HasPrefix(line, "Added environment a")
					}
					assert.Equal(t, level == test.at, found, level)
				}
			}, test.options...)
		})
	}
}

// The line "Connecting" is the first one that operators read: it must name the URL in full, but may be pasted anywhere.
func TestLogConnectingNamesTheURLWithoutSecrets(t *testing.T) {
	for _, test := range []struct{ name, uri, want string }{
		{"whole", "https://example.com:8030/base/", "https://example.com:8030/base/relay_auto_config?rpacProtocolVersion=2"},
		{"with a secret in the query", "https://example.com?token=secret-1&x=secret-2", "https://example.com/relay_auto_config?rpacProtocolVersion=2&token=xxxxx&x=xxxxx"},
		{"with a password", "https://me:secret@example.com", "https://me:xxxxx@example.com/relay_auto_config?rpacProtocolVersion=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0)
				r.manager = NewStreamManager(testKey, test.uri, r.relay, httpconfig.HTTPConfig{}, 0, r.log.Loggers,
					WithHTTPClient(&http.Client{Transport: r.service}), WithProtocolVersion(2))
				r.manager.Start()
				r.service.stream("")
				r.close()
				assert.Contains(t, r.log.GetOutput(ldlog.Info), "Connecting to "+test.want+" with key …0001")
				for _, line := range r.log.GetAllOutput() {
					assert.NotContains(t, line.Message, "secret")
				}
			})
		})
	}
}

// everyLine makes a manager log lines of every kind: changes, retries, a failure of the store, the end.
func everyLine(t *testing.T, loggers ldlog.Loggers, options ...Option) {
	synctest.Test(t, func(t *testing.T) {
		service := &service{memnet.NewService(), t}
		options = append(options, WithHTTPClient(&http.Client{Transport: service}), WithStore(&memory{loadErr: io.ErrUnexpectedEOF}))
		m := NewStreamManager(testKey, "https://example.com", &relay{}, httpconfig.HTTPConfig{}, 0, loggers, options...)
		m.Start()
		service.next().Refuse()
		service.stream(eventText(PutEvent, put(listedEnv("a", 1))) + eventText("unknown", "{}")).drop()
		service.next().Answer(401)
		<-m.Done()
	})
}

func TestLogHasThePrefixOfTheLoggersOnEachLine(t *testing.T) {
	var out bytes.Buffer
	loggers := ldlog.NewDefaultLoggers()
	loggers.SetBaseLogger(log.New(&out, "", 0))
	loggers.SetMinLevel(ldlog.Debug)
	loggers.SetPrefix("[relay]")
	everyLine(t, loggers)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Greater(t, len(lines), 8)
	for _, line := range lines {
		assert.Equal(t, 1, strings.Count(line, "[relay]"), line)
		assert.NotContains(t, line, "AutoConfig", "there is no other prefix")
	}
}

func TestWithLogger(t *testing.T) {
	for _, least := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelError + 1} {
		t.Run(least.String(), func(t *testing.T) {
			handler := &levels{least: least, seen: map[slog.Level][]string{}}
			everyLine(t, ldlog.NewDisabledLoggers(), WithLogger(slog.New(handler)))
			loggers := slogLoggers(slog.New(handler))
			loggers.Warn("one", 2)
			assert.Equal(t, least <= slog.LevelWarn, slices.Contains(handler.seen[slog.LevelWarn], "one 2"))
			for level, line := range map[slog.Level]string{
				slog.LevelDebug: `Received event "put"`, slog.LevelInfo: "Added environment a", slog.LevelWarn: "connection refused", slog.LevelError: "has ended for good",
			} {
				all := strings.Join(handler.seen[level], "\n")
				assert.Equal(t, level >= least, strings.Contains(all, line), "%s in %q", line, all)
			}
			for _, lines := range handler.seen {
				for _, line := range lines {
					assert.NotContains(t, line, "\n")
					assert.NotRegexp(t, "^(DEBUG|INFO|WARN|ERROR)", line, "the level is no part of the message")
				}
			}
		})
	}
}

// levels is a slog.Handler that keeps the messages of each level.
type levels struct {
	least slog.Level
	seen  map[slog.Level][]string
}

func (h *levels) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }
func (h *levels) WithAttrs([]slog.Attr) slog.Handler               { return h }
func (h *levels) WithGroup(string) slog.Handler                    { return h }
func (h *levels) Handle(_ context.Context, record slog.Record) error {
	h.seen[record.Level] = append(h.seen[record.Level], record.Message)
	return nil
}
