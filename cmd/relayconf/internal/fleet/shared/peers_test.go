package shared

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

var begin = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }

// testPeers are those of the hub "us", which has started at 0.
func testPeers() *peers {
	return &peers{us: "US", name: "us", started: begin, expiry: 15 * time.Second, within: time.Hour, all: map[string]*peer{},
		sent: map[uint64]time.Time{}, asking: true}
}

// beat is a heartbeat that answers one of ours.
func beat(name string, number, answers uint64, seconds int) heartbeat {
	return heartbeat{Name: name, Number: number, Time: at(seconds), Started: begin, Heard: map[string]heard{"US": {Number: answers}}}
}

func TestAHubCountsOnlyWhileItAnswersRecentHeartbeats(t *testing.T) {
	s := testPeers()
	first, _, tell := s.nextHeartbeat(at(0))
	assert.True(t, tell, "the first asks")
	assert.Equal(t, first.Number, first.Asks)
	take := func(h heartbeat, seconds int) {
		t.Helper()
		_, _, err := s.take("B", h, at(seconds))
		require.NoError(t, err)
	}
	fresh := func(seconds int) bool { return s.fresh(s.all["B"], at(seconds)) }
	take(beat("b", 100, 0, -600), 1)
	assert.False(t, fresh(1), "found, and perhaps long dead: nothing shows that it lives")
	take(beat("b", 101, 999, 1), 1)
	assert.False(t, fresh(1), "an answer to a heartbeat that was never made")
	take(beat("b", 102, 1, 1), 2)
	assert.True(t, fresh(2))
	assert.True(t, fresh(15))
	assert.False(t, fresh(16), "it has not answered for longer than the expiry")
	second, _, _ := s.nextHeartbeat(at(20))
	take(beat("b", 103, 1, 21), 21)
	assert.False(t, fresh(21), "new, but it does not answer a recent one")
	take(beat("b", 104, second.Number, 22), 22)
	assert.True(t, fresh(22))
	assert.Empty(t, s.all["B"].wants())
}

func TestHeartbeatsThatGoBackAreRefused(t *testing.T) {
	s := testPeers()
	_, _, _ = s.nextHeartbeat(at(0))
	old, late := beat("b", 5, 1, 0), beat("b", 9, 1, 1)
	for _, h := range []heartbeat{old, late} {
		_, _, err := s.take("B", h, at(1))
		require.NoError(t, err)
	}
	_, _, err := s.take("B", old, at(2))
	require.ErrorIs(t, err, errOlder)
	_, _, err = s.take("B", late, at(2))
	require.NoError(t, err, "it is simply still there")
	ended := beat("b", 10, 1, 3)
	ended.Ended = true
	_, _, err = s.take("B", ended, at(3))
	require.NoError(t, err)
	assert.Empty(t, s.current(at(3)))
	_, _, err = s.take("B", late, at(4))
	require.ErrorIs(t, err, errOlder, "a replay does not bring it back")
	assert.Empty(t, s.current(at(4)))
}

func TestARosterIsTakenWhole(t *testing.T) {
	s := testPeers()
	_, _, _ = s.nextHeartbeat(at(0))
	h := beat("b", 7, 1, 0)
	h.Parts = []uint64{3, 0, 7}
	wants, _, err := s.take("B", h, at(1))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 2}, wants)
	record := func(name string) relayRecord { return relayRecord{Name: name, Key: "hub"} }
	require.NoError(t, s.takeParts("B", map[int]part{0: {3, []relayRecord{record("x")}}, 2: {6, []relayRecord{record("old")}}}))
	assert.False(t, s.fresh(s.all["B"], at(1)), "a part is older than the heartbeat says")
	next, _, _ := s.nextHeartbeat(at(1))
	assert.True(t, next.Heard["B"].Lacks, "so the other hub writes it again")
	require.NoError(t, s.takeParts("B", map[int]part{2: {8, []relayRecord{record("y")}}}))
	assert.True(t, s.fresh(s.all["B"], at(1)), "a later part than the heartbeat says is as good")
	var names []string
	for _, r := range s.all["B"].list() {
		names = append(names, r.Name)
	}
	assert.Equal(t, []string{"x", "y"}, names)
	require.ErrorIs(t, s.takeParts("B", map[int]part{2: {7, nil}}), errOlder)

	h = beat("b", 9, 1, 2)
	h.Parts = []uint64{0, 0, 8}
	wants, _, err = s.take("B", h, at(2))
	require.NoError(t, err)
	assert.Empty(t, wants)
	assert.Len(t, s.all["B"].list(), 1, "the first part is empty now")
	h = beat("b", 10, 1, 2)
	h.Parts = make([]uint64, partCount+1)
	_, _, err = s.take("B", h, at(2))
	require.ErrorIs(t, err, errTooManyParts)
}

func TestWhichHubsCount(t *testing.T) {
	h := func(name string, started, last int) heartbeat {
		return heartbeat{Name: name, Number: 1, Time: at(last), Started: at(started)}
	}
	end := func(h heartbeat) heartbeat {
		h.Ended = true
		return h
	}
	for name, test := range map[string]struct {
		beats map[string]heartbeat
		want  []string
	}{
		"two of different names":         {map[string]heartbeat{"B": h("b", -90, 0), "C": h("c", -90, 0)}, []string{"B", "C"}},
		"one that ended":                 {map[string]heartbeat{"C": end(h("c", -90, -50))}, nil},
		"one that started again":         {map[string]heartbeat{"B": h("b", -90, -60), "B2": h("b", -50, 0)}, []string{"B2"}},
		"one that was back and ended":    {map[string]heartbeat{"B": h("b", -90, -60), "B2": end(h("b", -50, -5))}, nil},
		"one that ended beside another":  {map[string]heartbeat{"B": h("b", -90, -5), "B2": end(h("b", -50, -5))}, []string{"B"}},
		"two of one name at once":        {map[string]heartbeat{"B": h("b", -90, 0), "B2": h("b", -50, 0)}, []string{"B", "B2"}},
		"a former process of this hub":   {map[string]heartbeat{"U": h("us", -90, -5)}, nil},
		"another hub of this one's name": {map[string]heartbeat{"U": h("us", -90, 5)}, []string{"U"}},
		"one that is gone for too long":  {map[string]heartbeat{"B": h("b", -9999, -4000)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := testPeers()
			for instance, beat := range test.beats {
				_, _, err := s.take(instance, beat, at(6))
				require.NoError(t, err)
			}
			var got []string
			for _, p := range s.current(at(6)) {
				got = append(got, p.instance)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestAHubThatOthersHaveHeardIsExpected(t *testing.T) {
	s := testPeers()
	h := beat("b", 5, 0, 0)
	h.Heard["C"] = heard{Name: "c", Number: 9, Time: at(-60)}
	h.Heard["OLD"] = heard{Name: "old", Number: 9, Time: at(-9999)}
	_, _, err := s.take("B", h, at(1))
	require.NoError(t, err)
	s.learn(at(1))
	require.Len(t, s.current(at(1)), 2)
	assert.False(t, s.fresh(s.all["C"], at(1)))
	forgotten := heartbeat{Name: "c", Number: 10, Time: at(-60), Ended: true}
	_, _, err = s.take("C", forgotten, at(2))
	require.NoError(t, err)
	s.learn(at(2))
	assert.Len(t, s.current(at(2)), 1, "a hub that was forgotten stays so, as long as another one remembers it")
}

func TestTheHighestEpochOfANameIsShown(t *testing.T) {
	relay := func(name, hub string, epoch uint64, connected bool) fleet.Relay {
		return fleet.Relay{Name: name, Hub: hub, Epoch: epoch, Connected: connected, Agent: true, Instance: "process-" + name, Key: "hub"}
	}
	stream := func(hub, instance, key string) fleet.Relay {
		return fleet.Relay{Name: "stream:10.0.0.1", Hub: hub, Connected: true, Instance: instance, Key: key}
	}
	for name, test := range map[string]struct {
		local, others []fleet.Relay
		want          []fleet.Relay
	}{
		"of two hubs":                {[]fleet.Relay{relay("b", "us", 1, true)}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "h", 2, true), relay("b", "us", 1, true)}},
		"it has moved there":         {[]fleet.Relay{relay("a", "us", 1, true)}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "h", 2, true)}},
		"it has moved here":          {[]fleet.Relay{relay("a", "us", 3, true)}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "us", 3, true)}},
		"it was seen, and is there":  {[]fleet.Relay{relay("a", "", 2, false)}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "h", 2, true)}},
		"it was there, and has left": {[]fleet.Relay{relay("a", "", 3, false)}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "", 3, false)}},
		"three hubs":                 {nil, []fleet.Relay{relay("a", "h1", 2, true), relay("a", "h2", 4, true), relay("a", "h3", 3, true)}, []fleet.Relay{relay("a", "h2", 4, true)}},
		"its stream is elsewhere":    {[]fleet.Relay{stream("us", "process-a", "hub")}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "h", 2, true)}},
		"a stream of another key":    {[]fleet.Relay{stream("us", "process-a", "x")}, []fleet.Relay{relay("a", "h", 2, true)}, []fleet.Relay{relay("a", "h", 2, true), stream("us", "process-a", "x")}},
		"streams of one address":     {[]fleet.Relay{stream("us", "", "hub")}, []fleet.Relay{stream("h", "", "hub")}, []fleet.Relay{stream("h", "", "hub"), stream("us", "", "hub")}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, merge(test.local, test.others)) })
	}
}

func TestOnlyPartsThatHaveChangedAreWritten(t *testing.T) {
	relay := func(name string, epoch uint64) fleet.Relay {
		return fleet.Relay{Name: name, Key: "hub", Agent: true, Connected: true, Epoch: epoch, RoundTrip: time.Millisecond}
	}
	a, b := relay("a", 1), relay("b", 1)
	require.NotEqual(t, partOf("a"), partOf("b"))
	var r roster
	parts := func(names ...string) (numbers []int) {
		for i := range partCount {
			for _, name := range names {
				if partOf(name) == i {
					numbers = append(numbers, i)
				}
			}
		}
		return numbers
	}
	absent := relay("c", 1)
	absent.Connected = false
	assert.Equal(t, parts("a", "b"), r.update([]fleet.Relay{a, b, absent}, 1, "f", false, at(0)))
	assert.Empty(t, r.update([]fleet.Relay{a, b}, 2, "f", false, at(1)))
	a.Epoch = 2
	assert.Equal(t, parts("a"), r.update([]fleet.Relay{a, b}, 3, "f", false, at(2)))
	assert.Equal(t, []uint64{3, 1}, []uint64{r.numbers()[partOf("a")], r.numbers()[partOf("b")]})
	b.RoundTrip = time.Second
	assert.Empty(t, r.update([]fleet.Relay{a, b}, 4, "f", false, at(3)), "a round trip alone can wait")
	assert.Equal(t, parts("b"), r.update([]fleet.Relay{a, b}, 5, "f", false, at(60)))
	assert.Equal(t, parts("a", "b"), r.update([]fleet.Relay{a, b}, 6, "f", true, at(61)), "another hub lacks a part")
	r.doubt(parts("a"))
	assert.Equal(t, parts("a"), r.update([]fleet.Relay{a, b}, 7, "f", false, at(62)), "the write has failed")
	assert.Equal(t, parts("b"), r.update([]fleet.Relay{a}, 8, "f", false, at(63)))
	assert.Zero(t, r.numbers()[partOf("b")], "it is empty")
	assert.Equal(t, parts("a"), r.update([]fleet.Relay{a}, 9, "another", false, at(64)))
}

func TestAPartHasOnlyRelaysThatBelongThere(t *testing.T) {
	good := relayRecord{Name: "a", Key: "hub", Agent: true, Epoch: 1}
	at := partOf("a")
	require.NoError(t, part{1, []relayRecord{good}}.check(at))
	for name, change := range map[string]func(*relayRecord){
		"no name":           func(r *relayRecord) { r.Name = "" },
		"another part":      func(r *relayRecord) { r.Name = "b" },
		"no key":            func(r *relayRecord) { r.Key = "" },
		"no epoch":          func(r *relayRecord) { r.Epoch = 0 },
		"a name that is no": func(r *relayRecord) { r.Name = "a\x1b[31m" },
	} {
		bad := good
		change(&bad)
		assert.Error(t, part{1, []relayRecord{bad}}.check(at), name)
	}
	assert.Error(t, part{0, nil}.check(at))
	assert.Error(t, part{1, make([]relayRecord, maxPart+1)}.check(at))
}

func TestACallCountsOnceAndWhileItsHeartbeatIsRecent(t *testing.T) {
	f := &Fleet{peers: *testPeers(), calls: newCalls()} // hubs' news expire after 15 s
	f.peers.sent[1], f.peers.sent[2] = at(0), at(40)
	for _, test := range []struct {
		name    string
		seconds int
		call    call
		want    error
	}{
		{"the heartbeat of 30 s ago is recent", 30, call{ID: "a", Number: 1}, nil},
		{"once more", 30, call{ID: "a", Number: 1}, errReplayed},
		{"that of 31 s ago is not", 31, call{ID: "b", Number: 1}, errLate},
		{"there was no such heartbeat", 31, call{ID: "c", Number: 3}, errLate},
		{"a replay for as long as the heartbeat may be recent", 69, call{ID: "a", Number: 2}, errReplayed},
		{"another call", 70, call{ID: "d", Number: 2}, nil},
		{"a replay when it was forgotten", 90, call{ID: "a", Number: 1}, errLate},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.ErrorIs(t, f.check(test.call, at(test.seconds)), test.want)
		})
	}
}
