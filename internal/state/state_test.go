package state

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
)

func millisecond(n int) int64 { return seconds(n).UnixMilli() }

func seconds(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// event is a step of a table test: a message, and the calls that it must lead to.
type event struct {
	name, data string
	want       string // as describe writes them, joined by "; "
	at         int    // seconds after the epoch
}

// describe writes the changes that lead to calls of a relay's handler.
func describe(changes []Change, now time.Time) string {
	var all []string
	for _, c := range changes {
		switch c.Kind {
		case EnvironmentAdded, EnvironmentUpdated:
			rep := c.Fresh.Environment()
			p := rep.ToParams().At(now)
			text := map[ChangeKind]string{EnvironmentAdded: "add ", EnvironmentUpdated: "update "}[c.Kind] + c.ID
			if p.Identifiers.EnvName != "" {
				text += " " + p.Identifiers.EnvName
			}
			if p.ExpiringSDKKey != "" {
				text += fmt.Sprintf(" expiring %s at %d", string(p.ExpiringSDKKey), int(p.ExpiringSDKKeyTime.Sub(epoch).Seconds()))
			}
			all = append(all, text)
		case EnvironmentDeleted, EnvironmentRemoved:
			if c.Old != "" {
				all = append(all, "delete "+c.ID)
			}
		case AllReceived:
			all = append(all, "all")
		case FilterAdded:
			all = append(all, "add filter "+c.ID)
		case FilterDeleted, FilterRemoved:
			if c.Old != "" {
				all = append(all, "delete filter "+c.ID)
			}
		case KeyExpired:
			all = append(all, fmt.Sprintf("expired %s %s%s", c.ID, string(c.Key.SDKKey), string(c.Key.MobileKey)))
		}
	}
	return strings.Join(all, "; ")
}

// decode makes a message of an event, as the run loop does.
func (s *State) decode(name string, data []byte) (wire.Message, error) {
	if name != wire.PutEvent {
		return wire.Decode(name, data)
	}
	d := wire.NewPutDecoder(s.Known())
	if err := d.Add(data); err != nil {
		return nil, err
	}
	return d.Finish()
}

func decode(name string, data []byte) (wire.Message, error) { return New().decode(name, data) }

// play sends the events to a new state and checks the changes of each. The event named "tick" only lets time pass.
func play(t *testing.T, events []event) (s *State, last Outcome) {
	t.Helper()
	s = New()
	for i, e := range events {
		now := seconds(e.at)
		var out Outcome
		if e.name == "tick" {
			out.Changes = s.Expire(now)
		} else if m, err := s.decode(e.name, []byte(e.data)); err == nil {
			out = s.Apply(m, now)
		} else {
			require.ErrorIs(t, err, wire.ErrIgnored, "event %d: %s", i, e.data)
		}
		assert.Equal(t, e.want, describe(out.Changes, now), "event %d: %s %s", i, e.name, e.data)
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
	start := event{wire.PutEvent, put(listedEnv("a", 5)), "add a; all", 0}
	playAll(t, []rule{
		{"newer patch", []event{start, {wire.PatchEvent, patchEnv("a", 6), "update a", 0}}},
		{"equal patch", []event{start, {wire.PatchEvent, patchEnv("a", 5, `"envName":"X"`), "", 0}}},
		{"older patch", []event{start, {wire.PatchEvent, patchEnv("a", 4), "", 0}, {wire.PatchEvent, patchEnv("a", 6), "update a", 0}}},
		{"newer delete", []event{start, {wire.DeleteEvent, deletion("/environments/a", 6), "delete a", 0}}},
		{"equal delete", []event{start, {wire.DeleteEvent, deletion("/environments/a", 5), "", 0}}},
		{"older delete", []event{start, {wire.DeleteEvent, deletion("/environments/a", 4), "", 0}}},
		{"a first patch may have any version", []event{{wire.PatchEvent, patchEnv("a", -3), "add a", 0}, {wire.PatchEvent, patchEnv("a", 0), "update a", 0}}},
		{"ignored versions are not remembered", []event{start, {wire.PatchEvent, patchEnv("a", 3), "", 0}, {wire.DeleteEvent, deletion("/environments/a", 4), "", 0}}},
	})
}

func TestRule02APutReplacesEverything(t *testing.T) {
	playAll(t, []rule{
		{"calls in the order of the event, deletions sorted, all at the end", []event{
			{wire.PutEvent, put(listedEnv("c", 1), listedEnv("a", 1), listedEnv("b", 1)), "add c; add a; add b; all", 0},
			{wire.PutEvent, put(listedEnv("z", 1)), "add z; delete a; delete b; delete c; all", 0},
		}},
		{"changed ones are updated and unchanged ones not mentioned", []event{
			{wire.PutEvent, put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("c", 1)), "add a; add b; add c; all", 0},
			{wire.PutEvent, put(listedEnv("c", 1), listedEnv("b", 2), listedEnv("d", 1), listedEnv("a", 1)), "update b; add d; all", 0},
		}},
		{"another text at the same version is no news", []event{
			{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{wire.PutEvent, put(listedEnv("a", 1, `"envName":"X"`)), "all", 0},
		}},
		{"an older version keeps what is known", []event{
			{wire.PatchEvent, patchEnv("a", 5), "add a", 0},
			{wire.PutEvent, put(listedEnv("a", 4)), "all", 0},
			{wire.PatchEvent, patchEnv("a", 5), "", 0},
		}},
		{"an older version keeps what is known, a tombstone too", []event{
			{wire.PutEvent, put(listedEnv("a", 4)), "add a; all", 0},
			{wire.DeleteEvent, deletion("/environments/a", 5), "delete a", 0},
			{wire.PutEvent, put(listedEnv("a", 4)), "all", 0},
			{wire.PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
		}},
		{"an empty put removes everything", []event{
			{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{wire.PutEvent, `{"path":"/","data":{"environments":{}}}`, "delete a; all", 0},
			{wire.PutEvent, `{"path":"/"}`, "all", 0},
			{wire.PutEvent, `{"path":"/","data":{"environments":null,"filters":null}}`, "all", 0},
		}},
		{"of an id listed twice the last counts", []event{
			{wire.PutEvent, put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("a", 2, `"envName":"second"`)), "add a second; add b; all", 0},
			{wire.PatchEvent, patchEnv("a", 2), "", 0},
		}},
	})
}

func TestRule03DeletesLeaveTombstones(t *testing.T) {
	playAll(t, []rule{
		{"a late patch stays ignored", []event{
			{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{wire.DeleteEvent, deletion("/environments/a", 3), "delete a", 0},
			{wire.PatchEvent, patchEnv("a", 2), "", 0}, {wire.PatchEvent, patchEnv("a", 3), "", 0},
			{wire.PatchEvent, patchEnv("a", 4), "add a", 0},
		}},
		{"also for an environment never seen", []event{
			{wire.DeleteEvent, deletion("/environments/a", 3), "", 0},
			{wire.PatchEvent, patchEnv("a", 3), "", 0}, {wire.PatchEvent, patchEnv("a", 4), "add a", 0},
		}},
		{"deleting twice calls once, and the newer tombstone counts", []event{
			{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{wire.DeleteEvent, deletion("/environments/a", 3), "delete a", 0},
			{wire.DeleteEvent, deletion("/environments/a", 5), "", 0},
			{wire.PatchEvent, patchEnv("a", 4), "", 0},
		}},
		{"a put clears the tombstones that it does not list", []event{
			{wire.DeleteEvent, deletion("/environments/a", 9), "", 0}, {wire.DeleteEvent, deletion("/environments/b", 9), "", 0},
			{wire.PutEvent, put(listedEnv("b", 1)), "all", 0},
			{wire.PatchEvent, patchEnv("a", 1), "add a", 0},
			{wire.PatchEvent, patchEnv("b", 9), "", 0},
		}},
	})
}

func TestRule04WhatAPutRemovedMayComeBack(t *testing.T) {
	for _, version := range []int{4, 5, 6} {
		playAll(t, []rule{
			{fmt.Sprintf("by patch with version %d", version), []event{
				{wire.PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
				{wire.PutEvent, put(), "delete a; all", 0},
				{wire.PutEvent, put(), "all", 0},
				{wire.PatchEvent, patchEnv("a", version), "add a", 0},
			}},
			{fmt.Sprintf("by put with version %d", version), []event{
				{wire.PutEvent, put(listedEnv("a", 5)), "add a; all", 0},
				{wire.PutEvent, put(), "delete a; all", 0},
				{wire.PutEvent, put(listedEnv("a", version)), "add a; all", 0},
			}},
		})
	}
}

func TestRule05MismatchedIDsAreIgnored(t *testing.T) {
	t.Run("in a put", func(t *testing.T) {
		_, out := play(t, []event{{wire.PutEvent, put(listedEnv("a", 1), member("b", env("x", 1)), listedEnv("c", 1)), "add a; add c; all", 0}})
		require.Len(t, out.Ignored, 1)
		assert.EqualError(t, out.Ignored[0], `environment ignored: it is listed as "b", but its envID is "x"`)
		assert.NoError(t, out.InvalidKeys)
	})
	t.Run("in a patch", func(t *testing.T) {
		s, out := play(t, []event{{wire.PatchEvent, patch("b", env("x", 1)), "", 0}})
		require.Len(t, out.Ignored, 1)
		assert.Empty(t, s.Params(epoch))
	})
	playAll(t, []rule{{"an environment listed with a wrong id inside is not missing", []event{
		{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
		{wire.PutEvent, put(member("a", env("x", 2))), "all", 0},
		{wire.PatchEvent, patchEnv("a", 2), "update a", 0},
	}}})
}

func TestRule06Paths(t *testing.T) {
	body := env("a", 1)
	playAll(t, []rule{
		{"another put path", []event{{wire.PutEvent, `{"path":"/other","data":{"environments":{` + listedEnv("a", 1) + `}}}`, "", 0}}},
		{"a put without a path", []event{{wire.PutEvent, `{"data":{"environments":{` + listedEnv("a", 1) + `}}}`, "", 0}}},
		{"patch and delete without the leading slash", []event{
			{wire.PatchEvent, `{"path":"environments/a","data":` + body + `}`, "add a", 0},
			{wire.DeleteEvent, deletion("environments/a", 2), "delete a", 0},
			{wire.PatchEvent, `{"path":"filters/f","data":` + filter("f", 1) + `}`, "add filter f", 0},
			{wire.DeleteEvent, deletion("filters/f", 2), "delete filter f", 0},
		}},
		{"data before path", []event{{wire.PatchEvent, `{"data":` + body + `,"path":"/environments/a"}`, "add a", 0}}},
		{"an id with a slash", []event{{wire.PatchEvent, `{"path":"/environments/a/b","data":` + env("a/b", 1) + `}`, "", 0}}},
		{"an unknown event name", []event{{"policy-note", `{`, "", 0}, {"", `{}`, "", 0}, {"PUT", put(listedEnv("a", 1)), "", 0}}},
	})
	for _, path := range []string{"", "/", "/environments", "/environments/", "//environments/a", "/environments/a/b", "/segments/a", "/Environments/a"} {
		playAll(t, []rule{{fmt.Sprintf("%q", path), []event{
			{wire.PatchEvent, fmt.Sprintf(`{"path":%q,"data":%s}`, path, body), "", 0},
			{wire.PutEvent, put(listedEnv("a", 1)), "add a; all", 0},
			{wire.DeleteEvent, deletion(path, 5), "", 0},
		}}})
	}
}

func TestRule07MalformedDataIsAnError(t *testing.T) {
	const secret = "sdk-secret-12345678"
	for _, test := range []struct{ event, data string }{
		{wire.PutEvent, ``}, {wire.PutEvent, `{`}, {wire.PutEvent, `[]`}, {wire.PutEvent, `null x`}, {wire.PutEvent, `{"path":7}`},
		{wire.PutEvent, `{"path":"/","data":{"environments":[]}}`},
		{wire.PutEvent, `{"path":"/","data":{"environments":{"a":"` + secret + `"}}}`},
		{wire.PutEvent, put(listedEnv("a", 1, `"version":"x"`))},
		{wire.PutEvent, put(listedEnv("a", 1, `"version":1.5`))},
		{wire.PutEvent, put(listedEnv("a", 1, `"version":99999999999999999999`))},
		{wire.PutEvent, put(listedEnv("a", 1), member("b", `{"mobKey":`+secret+`}`))},
		{wire.PatchEvent, `{"path":"/environments/a","data":{"sdkKey":"` + secret + `"}}`},
		{wire.PatchEvent, `{"path":"/environments/a","data":{"sdkKeys":["` + secret + `"]}}`},
		{wire.PatchEvent, `{"path":"/filters/a","data":{"key":1}}`},
		{wire.DeleteEvent, `{"path":"/environments/a","version":"` + secret + `"}`},
		{wire.DeleteEvent, `{"path":"/environments/a","version":1}}`},
		{wire.DeleteEvent, strings.Repeat(`[`, 100_000)},
	} {
		t.Run(fmt.Sprintf("%s %.60s", test.event, test.data), func(t *testing.T) {
			_, err := decode(test.event, []byte(test.data))
			require.Error(t, err)
			assert.NotErrorIs(t, err, wire.ErrIgnored)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), "12345678")
		})
	}
}

func TestRule08MalformedKeysLeaveTheEnvironmentAsItWas(t *testing.T) {
	bad := `"sdkKeys":[{"value":"sdk-other"}]`
	s, out := play(t, []event{
		{wire.PutEvent, put(listedEnv("a", 1, `"envName":"A"`), listedEnv("b", 1)), "add a A; add b; all", 0},
		{wire.PutEvent, put(listedEnv("a", 2, bad), listedEnv("b", 2), listedEnv("c", 1, bad)), "update b; all", 0},
	})
	require.Error(t, out.InvalidKeys)
	assert.Contains(t, out.InvalidKeys.Error(), `"a"`)
	assert.Contains(t, out.InvalidKeys.Error(), `"c"`)
	params := s.Params(epoch)
	require.Len(t, params, 2)
	assert.Equal(t, "A", params[0].Identifiers.EnvName)

	m, err := decode(wire.PatchEvent, []byte(patchEnv("a", 2, bad)))
	require.NoError(t, err)
	out = s.Apply(m, epoch)
	assert.Empty(t, out.Changes)
	require.Error(t, out.InvalidKeys)

	m, err = decode(wire.PatchEvent, []byte(patchEnv("a", 2)))
	require.NoError(t, err)
	assert.Equal(t, "update a", describe(s.Apply(m, epoch).Changes, epoch), "the version was left as it was too")

	m, err = decode(wire.PatchEvent, []byte(patchEnv("a", 2, bad)))
	require.NoError(t, err)
	assert.NoError(t, s.Apply(m, epoch).InvalidKeys, "the keys of an old version don't count")
}

func TestFiltersAreAddedAndDeletedNeverUpdated(t *testing.T) {
	listedFilter := func(id string, version int) string { return member(id, filter(id, version)) }
	playAll(t, []rule{
		{"put", []event{
			{wire.PutEvent, putWith([]string{listedEnv("a", 1)}, []string{listedFilter("g", 1), listedFilter("f", 1)}), "add a; add filter g; add filter f; all", 0},
			{wire.PutEvent, putWith([]string{listedEnv("a", 1)}, []string{listedFilter("f", 2)}), "delete filter g; all", 0},
			{wire.PatchEvent, patchFilter("f", 2), "", 0},
		}},
		{"patch and delete", []event{
			{wire.PatchEvent, patchFilter("f", 3), "add filter f", 0},
			{wire.PatchEvent, patchFilter("f", 5), "", 0},
			{wire.DeleteEvent, deletion("/filters/f", 5), "", 0},
			{wire.DeleteEvent, deletion("/filters/f", 6), "delete filter f", 0},
			{wire.DeleteEvent, deletion("/filters/f", 7), "", 0},
			{wire.PatchEvent, patchFilter("f", 7), "", 0},
			{wire.PatchEvent, patchFilter("f", 8), "add filter f", 0},
		}},
		{"an environment and a filter of one name are two things", []event{
			{wire.PatchEvent, patchFilter("a", 3), "add filter a", 0},
			{wire.PatchEvent, patchEnv("a", 1), "add a", 0},
			{wire.DeleteEvent, deletion("/environments/a", 2), "delete a", 0},
			{wire.PatchEvent, patchFilter("a", 4), "", 0},
		}},
	})
}
