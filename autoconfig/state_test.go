package autoconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/sse"
)

// epoch is when the tests of the state take place; expiry times are given in seconds after it.
var epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func seconds(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

func millis(n int) int64 { return seconds(n).UnixMilli() }

// env is the JSON of an environment. More members may follow, and win over those before them.
func env(id string, version int, members ...string) string {
	return fmt.Sprintf(`{"envID":%q,"envKey":%q,"projKey":"p","sdkKey":{"value":"sdk-%s"},"mobKey":"mob-%s","version":%d%s}`,
		id, id, id, id, version, strings.Join(append([]string{""}, members...), ","))
}

// expiring is the member that gives an environment an old SDK key that expires.
func expiring(id, oldKey string, at int) string {
	return fmt.Sprintf(`"sdkKey":{"value":"sdk-%s","expiring":{"value":%q,"timestamp":%d}}`, id, oldKey, millis(at))
}

func filter(key string, version int) string {
	return fmt.Sprintf(`{"projKey":"p","key":%q,"version":%d}`, key, version)
}

// event is a step of a table test: what came, and the calls that it must lead to.
type event struct {
	name, data string
	want       string // as describe writes them, joined by "; "
	at         int    // seconds after the epoch
}

func put(environments ...string) string { return putWith(environments, nil) }

// putWith takes environments, each under its own id unless it is given as "otherID=JSON".
func putWith(environments []string, filters []string) string {
	return fmt.Sprintf(`{"path":"/","data":{"environments":{%s},"filters":{%s}}}`,
		strings.Join(environments, ","), strings.Join(filters, ","))
}

func member(id, value string) string { return fmt.Sprintf("%q:%s", id, value) }

func listedEnv(id string, version int, members ...string) string {
	return member(id, env(id, version, members...))
}

func patch(id, value string) string {
	return fmt.Sprintf(`{"path":"/environments/%s","data":%s}`, id, value)
}

func patchEnv(id string, version int, members ...string) string {
	return patch(id, env(id, version, members...))
}

func patchFilter(id string, version int) string {
	return fmt.Sprintf(`{"path":"/filters/%s","data":%s}`, id, filter(id, version))
}

func deletion(path string, version int) string {
	return fmt.Sprintf(`{"path":%q,"version":%d}`, path, version)
}

func describe(changes []change, now time.Time) string {
	var all []string
	for _, c := range changes {
		text := ""
		switch c.kind {
		case addEnvironment, updateEnvironment:
			p := c.env.value.params(c.env.version, now)
			text = map[changeKind]string{addEnvironment: "add ", updateEnvironment: "update "}[c.kind] + string(p.EnvID)
			if p.Identifiers.EnvName != "" {
				text += " " + p.Identifiers.EnvName
			}
			if p.ExpiringSDKKey != "" {
				text += fmt.Sprintf(" expiring %s at %d", string(p.ExpiringSDKKey), int(p.ExpiringSDKKeyTime.Sub(epoch).Seconds()))
			}
		case deleteEnvironment:
			text = "delete " + string(c.envID)
		case receivedAll:
			text = "all"
		case addFilter:
			text = "add filter " + string(c.filter.ID)
		case deleteFilter:
			text = "delete filter " + string(c.filter.ID)
		case keyExpired:
			text = fmt.Sprintf("expired %s %s%s", c.expiry.env, string(c.expiry.sdkKey), string(c.expiry.mobileKey))
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// decode makes a message of an event, as the run loop does.
func (s *state) decode(name string, data []byte) (message, error) {
	r := newRunner(&StreamManager{state: s})
	return r.decode(sse.Item{Name: name, Data: data})
}

func decode(name string, data []byte) (message, error) { return newState().decode(name, data) }

// play sends the events to a new state and checks the changes of each. The event named "tick" only lets time pass.
func play(t *testing.T, events []event) (s *state, last outcome) {
	t.Helper()
	s = newState()
	for i, e := range events {
		now := seconds(e.at)
		var out outcome
		if e.name == "tick" {
			out.changes = s.expire(now)
		} else if m, err := s.decode(e.name, []byte(e.data)); err == nil {
			out = s.apply(m, now)
		} else {
			require.ErrorIs(t, err, errIgnored, "event %d: %s", i, e.data)
		}
		assert.Equal(t, e.want, describe(out.changes, now), "event %d: %s %s", i, e.name, e.data)
		last = out
	}
	return s, last
}

type rule struct {
	name   string
	events []event
}

func playAll(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { play(t, r.events) })
	}
}

func TestRule01OlderAndEqualVersionsAreIgnored(t *testing.T) {
	start := event{PutEvent, put(listedEnv("a", 5)), "add a; all", 0}
	playAll(t, []rule{
		{"newer patch", []event{start, {PatchEvent, patchEnv("a", 6), "update a", 0}}},
		{"equal patch", []event{start, {PatchEvent, patchEnv("a", 5, `"envName":"X"`), "", 0}}},
		{"older patch", []event{start, {PatchEvent, patchEnv("a", 4), "", 0}, {PatchEvent, patchEnv("a", 6), "update a", 0}}},
		{"newer delete", []event{start, {DeleteEvent, deletion("/environments/a", 6), "delete a", 0}}},
		{"equal delete", []event{start, {DeleteEvent, deletion("/environments/a", 5), "", 0}}},
		{"older delete", []event{start, {DeleteEvent, deletion("/environments/a", 4), "", 0}}},
		{"a first patch may have any version", []event{{PatchEvent, patchEnv("a", -3), "add a", 0}, {PatchEvent, patchEnv("a", 0), "update a", 0}}},
		{"ignored versions are not remembered", []event{start, {PatchEvent, patchEnv("a", 3), "", 0}, {DeleteEvent, deletion("/environments/a", 4), "", 0}}},
	})
}

func TestRule02APutIsTheWholeTruth(t *testing.T) {
	playAll(t, []rule{
		{"calls in the order of the event, deletions sorted, all at the end", []event{
			{PutEvent, put(listedEnv("c", 1), listedEnv("a", 1), listedEnv("b", 1)), "add c; add a; add b; all", 0},
			{PutEvent, put(listedEnv("z", 1)), "add z; delete a; delete b; delete c; all", 0},
		}},
		{"changed ones are updated and unchanged ones not mentioned", []event{
			{PutEvent, put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("c", 1)), "add a; add b; add c; all", 0},
			{PutEvent, put(listedEnv("c", 1), listedEnv("b", 2), listedEnv("d", 1), listedEnv("a", 1)), "update b; add d; all", 0},
		}},
		{"an older version keeps what is known", []event{
			{PatchEvent, patchEnv("a", 5), "add a", 0},
			{PutEvent, put(listedEnv("a", 4)), "all", 0},
			{PatchEvent, patchEnv("a", 5), "", 0},
		}},
		{"an older version keeps what is known, a tombstone too", []event{
			{PutEvent, put(listedEnv("a", 4)), "add a; all", 0},
			{DeleteEvent, deletion("/environments/a", 5), "delete a", 0},
			{PutEvent, put(listedEnv("a", 4)), "all", 0},
			{PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
		}},
		{"an empty put removes everything", []event{
			{PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{PutEvent, `{"path":"/","data":{"environments":{}}}`, "delete a; all", 0},
			{PutEvent, `{"path":"/"}`, "all", 0},
			{PutEvent, `{"path":"/","data":{"environments":null,"filters":null}}`, "all", 0},
		}},
		{"of an id listed twice the last counts", []event{
			{PutEvent, put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("a", 2, `"envName":"second"`)), "add a second; add b; all", 0},
			{PatchEvent, patchEnv("a", 2), "", 0},
		}},
	})
}

func TestRule03DeletesLeaveTombstones(t *testing.T) {
	playAll(t, []rule{
		{"a late patch stays ignored", []event{
			{PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{DeleteEvent, deletion("/environments/a", 3), "delete a", 0},
			{PatchEvent, patchEnv("a", 2), "", 0}, {PatchEvent, patchEnv("a", 3), "", 0},
			{PatchEvent, patchEnv("a", 4), "add a", 0},
		}},
		{"also for an environment never seen", []event{
			{DeleteEvent, deletion("/environments/a", 3), "", 0},
			{PatchEvent, patchEnv("a", 3), "", 0}, {PatchEvent, patchEnv("a", 4), "add a", 0},
		}},
		{"deleting twice calls once, and the newer tombstone counts", []event{
			{PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{DeleteEvent, deletion("/environments/a", 3), "delete a", 0},
			{DeleteEvent, deletion("/environments/a", 5), "", 0},
			{PatchEvent, patchEnv("a", 4), "", 0},
		}},
		{"a put clears the tombstones that it does not list", []event{
			{DeleteEvent, deletion("/environments/a", 9), "", 0}, {DeleteEvent, deletion("/environments/b", 9), "", 0},
			{PutEvent, put(listedEnv("b", 1)), "all", 0},
			{PatchEvent, patchEnv("a", 1), "add a", 0},
			{PatchEvent, patchEnv("b", 9), "", 0},
		}},
	})
}

func TestRule04WhatAPutRemovedMayComeBack(t *testing.T) {
	for _, version := range []int{4, 5, 6} {
		playAll(t, []rule{
			{fmt.Sprintf("by patch with version %d", version), []event{
				{PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
				{PutEvent, put(), "delete a; all", 0},
				{PutEvent, put(), "all", 0},
				{PatchEvent, patchEnv("a", version), "add a", 0},
			}},
			{fmt.Sprintf("by put with version %d", version), []event{
				{PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
				{PutEvent, put(), "delete a; all", 0},
				{PutEvent, put(listedEnv("a", version)), "add a; all", 0},
			}},
		})
	}
}

func TestRule05MismatchedIDsAreIgnored(t *testing.T) {
	t.Run("in a put", func(t *testing.T) {
		_, out := play(t, []event{{PutEvent, put(listedEnv("a", 1), member("b", env("x", 1)), listedEnv("c", 1)), "add a; add c; all", 0}})
		require.Len(t, out.warnings, 1)
		assert.EqualError(t, out.warnings[0], `environment ignored: it is listed as "b", but its envID is "x"`)
		assert.NoError(t, out.invalidKeys)
	})
	t.Run("in a patch", func(t *testing.T) {
		s, out := play(t, []event{{PatchEvent, patch("b", env("x", 1)), "", 0}})
		require.Len(t, out.warnings, 1)
		assert.Empty(t, s.params(epoch))
	})
	playAll(t, []rule{{"an environment listed with a wrong id inside is not missing", []event{
		{PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
		{PutEvent, put(member("a", env("x", 2))), "all", 0},
		{PatchEvent, patchEnv("a", 2), "update a", 0},
	}}})
}

func TestRule06Paths(t *testing.T) {
	body := env("a", 1)
	playAll(t, []rule{
		{"another put path", []event{{PutEvent, `{"path":"/other","data":{"environments":{` + listedEnv("a", 1) + `}}}`, "", 0}}},
		{"a put without a path", []event{{PutEvent, `{"data":{"environments":{` + listedEnv("a", 1) + `}}}`, "", 0}}},
		{"patch and delete without the leading slash", []event{
			{PatchEvent, `{"path":"environments/a","data":` + body + `}`, "add a", 0},
			{DeleteEvent, deletion("environments/a", 2), "delete a", 0},
			{PatchEvent, `{"path":"filters/f","data":` + filter("f", 1) + `}`, "add filter f", 0},
			{DeleteEvent, deletion("filters/f", 2), "delete filter f", 0},
		}},
		{"data before path", []event{{PatchEvent, `{"data":` + body + `,"path":"/environments/a"}`, "add a", 0}}},
		{"an unknown event name", []event{{"policy-note", `{`, "", 0}, {"", `{}`, "", 0}, {"PUT", put(listedEnv("a", 1)), "", 0}}},
	})
	for _, path := range []string{"", "/", "/environments", "/environments/", "//environments/a", "/environments/a/b", "/segments/a", "/Environments/a"} {
		playAll(t, []rule{{fmt.Sprintf("%q", path), []event{
			{PatchEvent, fmt.Sprintf(`{"path":%q,"data":%s}`, path, body), "", 0},
			{PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{DeleteEvent, deletion(path, 5), "", 0},
		}}})
	}
}

func TestRule07MalformedDataIsAnError(t *testing.T) {
	const secret = "sdk-secret-12345678"
	for _, test := range []struct{ name, data string }{
		{PutEvent, ``}, {PutEvent, `{`}, {PutEvent, `[]`}, {PutEvent, `null x`}, {PutEvent, `{"path":7}`},
		{PutEvent, `{"path":"/","data":{"environments":[]}}`},
		{PutEvent, `{"path":"/","data":{"environments":{"a":"` + secret + `"}}}`},
		{PutEvent, put(listedEnv("a", 1, `"version":"x"`))},
		{PutEvent, put(listedEnv("a", 1, `"version":1.5`))},
		{PutEvent, put(listedEnv("a", 1, `"version":99999999999999999999`))},
		{PutEvent, put(listedEnv("a", 1), member("b", `{"mobKey":`+secret+`}`))},
		{PatchEvent, `{"path":"/environments/a","data":{"sdkKey":"` + secret + `"}}`},
		{PatchEvent, `{"path":"/environments/a","data":{"sdkKeys":["` + secret + `"]}}`},
		{PatchEvent, `{"path":"/filters/a","data":{"key":1}}`},
		{DeleteEvent, `{"path":"/environments/a","version":"` + secret + `"}`},
		{DeleteEvent, `{"path":"/environments/a","version":1}}`},
		{DeleteEvent, strings.Repeat(`[`, 100_000)},
	} {
		_, err := decode(test.name, []byte(test.data))
		require.Error(t, err, test.data)
		assert.NotErrorIs(t, err, errIgnored, test.data)
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, err.Error(), "12345678")
	}
}

func TestRule08MalformedKeysLeaveTheEnvironmentAsItWas(t *testing.T) {
	bad := `"sdkKeys":[{"value":"sdk-other"}]`
	s, out := play(t, []event{
		{PutEvent, put(listedEnv("a", 1, `"envName":"A"`), listedEnv("b", 1)), "add a A; add b; all", 0},
		{PutEvent, put(listedEnv("a", 2, bad), listedEnv("b", 2), listedEnv("c", 1, bad)), "update b; all", 0},
	})
	require.Error(t, out.invalidKeys)
	assert.Contains(t, out.invalidKeys.Error(), `"a"`)
	assert.Contains(t, out.invalidKeys.Error(), `"c"`)
	params := s.params(epoch)
	require.Len(t, params, 2)
	assert.Equal(t, "A", params[0].Identifiers.EnvName)

	m, err := decode(PatchEvent, []byte(patchEnv("a", 2, bad)))
	require.NoError(t, err)
	out = s.apply(m, epoch)
	assert.Empty(t, out.changes)
	require.Error(t, out.invalidKeys)

	m, err = decode(PatchEvent, []byte(patchEnv("a", 2)))
	require.NoError(t, err)
	assert.Equal(t, "update a", describe(s.apply(m, epoch).changes, epoch), "the version was left as it was too")
	assert.NoError(t, errors.Join(s.apply(m, epoch).invalidKeys), "old news are not looked at")
}

func TestFiltersAreAddedAndDeletedNeverUpdated(t *testing.T) {
	listedFilter := func(id string, version int) string { return member(id, filter(id, version)) }
	playAll(t, []rule{
		{"put", []event{
			{PutEvent, putWith([]string{listedEnv("a", 1)}, []string{listedFilter("g", 1), listedFilter("f", 1)}), "add a; add filter g; add filter f; all", 0},
			{PutEvent, putWith([]string{listedEnv("a", 1)}, []string{listedFilter("f", 2)}), "delete filter g; all", 0},
			{PatchEvent, patchFilter("f", 2), "", 0},
		}},
		{"patch and delete", []event{
			{PatchEvent, patchFilter("f", 3), "add filter f", 0},
			{PatchEvent, patchFilter("f", 5), "", 0},
			{DeleteEvent, deletion("/filters/f", 5), "", 0},
			{DeleteEvent, deletion("/filters/f", 6), "delete filter f", 0},
			{DeleteEvent, deletion("/filters/f", 7), "", 0},
			{PatchEvent, patchFilter("f", 7), "", 0},
			{PatchEvent, patchFilter("f", 8), "add filter f", 0},
		}},
		{"an environment and a filter of one name are two things", []event{
			{PatchEvent, patchFilter("a", 3), "add filter a", 0},
			{PatchEvent, patchEnv("a", 1), "add a", 0},
			{DeleteEvent, deletion("/environments/a", 2), "delete a", 0},
			{PatchEvent, patchFilter("a", 4), "", 0},
		}},
	})
}
