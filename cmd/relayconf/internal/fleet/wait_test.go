package fleet

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent"
)

const brief = 0.3 // seconds, of a wait that is to fail

func namesOf(missing []MissingRelay) (names []string) {
	for _, m := range missing {
		names = append(names, m.Name)
	}
	return names
}

func TestWaitSucceedsWhenAllHaveApplied(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.relay("b")
	r.inSync("a", "b")
	assert.Equal(t, Progress{Result: Applied, Done: 2, Total: 2, Missing: []MissingRelay{}}, r.wait(Condition{}).result())
}

func TestARelayWhoseHandlerIsSlowIsBehindAndWaitedFor(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	slow := r.relay("slow")
	r.relay("quick")
	r.inSync("slow", "quick")
	for _, c := range []Condition{{}, {Environment: "web-1", Version: 2}} {
		slow.hold.Lock()
		r.patch("web-1", 2)
		r.eventually("the slow relay knows it", func() bool { return slow.manager.Status().Digest == r.find("slow").Want })
		require.False(t, r.find("slow").InSync())
		assert.False(t, r.find("slow").Behind.IsZero())
		failed := c
		failed.TimeoutSeconds = brief
		p := r.wait(failed).result()
		assert.Equal(t, Missing, p.Result)
		assert.Contains(t, namesOf(p.Missing), "slow")
		w := r.wait(c)
		for w.says("slow", ""); len(w.last.Missing) > 1; w.says("slow", "") { // until the quick one has answered
		}
		slow.hold.Unlock()
		assert.Equal(t, Applied, w.result().Result)
		r.has(map[string]int{"web-1": 1})
		r.inSync("slow", "quick")
	}
}

func TestWaitForAVersionIsNotTheHubsVersion(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1, "web-2": 1})
	r.relay("a")
	r.inSync("a")
	w := r.wait(Condition{Environment: "web-1", Version: 3})
	w.says("a", "has version 1")
	r.patch("web-1", 2)
	w.says("a", "has version 2")
	r.patch("web-1", 4)
	assert.Equal(t, Applied, w.result().Result, "a later version counts")
	r.wait(Condition{Environment: "web-3", Version: 1}).says("a", "does not have the environment")
}

func TestARelayThatIsBehindIsAskedForItsVersion(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 5, "web-2": 1})
	slow := r.relay("slow")
	r.inSync("slow")
	slow.hold.Lock()
	r.patch("web-2", 2)
	r.eventually("it is behind", func() bool { return !r.find("slow").InSync() })
	assert.Equal(t, Applied, r.wait(Condition{Environment: "web-1", Version: 5}).result().Result, "it is behind by another environment")
	r.patch("web-1", 6)
	p := r.wait(Condition{Environment: "web-1", Version: 6, TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
	slow.hold.Unlock()
}

func TestWaitForADigestMeansThatOne(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	first := r.find("a").Want
	assert.Equal(t, Applied, r.wait(Condition{Digest: first}).result().Result)
	r.patch("web-1", 2)
	r.eventually("the second", func() bool { return r.find("a").Want != first && r.find("a").InSync() })
	p := r.wait(Condition{Digest: first, TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
}

func TestWaitTakesTheConfigurationOnlyFromAConfirmedUpstream(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	why := "INTERRUPTED"
	r.upstream.Store(&why)
	p := r.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Inconclusive, p.Result)
	assert.Contains(t, p.Problem, why)
	w := r.wait(Condition{})
	w.says("a", "upstream")
	r.upstream.Store(nil)
	assert.Equal(t, Applied, w.result().Result)
}

func TestAbsentRelaysAreMissingAndNamed(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	b := r.relay("b")
	r.inSync("a", "b")
	b.stop()
	r.eventually("b left", func() bool { return !r.find("b").Connected })
	p := r.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
	assert.Equal(t, []string{"b"}, namesOf(p.Missing))
	assert.Contains(t, p.Missing[0].Reason, "is not connected")
	assert.Equal(t, Applied, r.wait(Condition{Relays: []string{"a"}}).result().Result, "only the named ones are expected")
	p = r.wait(Condition{Relays: []string{"a", "z"}, TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
	assert.Equal(t, []string{"z"}, namesOf(p.Missing))

	w := r.wait(Condition{})
	w.says("b", "is not connected")
	require.NoError(t, r.local.Forget("b"))
	assert.Equal(t, Applied, w.result().Result)
}

func TestSeenWithinLeavesOutThoseSeenBefore(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	r.local.names.see("old", Name{Key: "hub", LastSeen: time.Now().Add(-time.Hour)})
	assert.Equal(t, Applied, r.wait(Condition{SeenWithinSeconds: 60}).result().Result)
	p := r.wait(Condition{SeenWithinSeconds: 7200, TimeoutSeconds: brief}).result()
	assert.Equal(t, []string{"old"}, namesOf(p.Missing))
	assert.Error(t, Condition{TimeoutSeconds: 1, SeenWithinSeconds: 25 * 3600}.check(DefaultSeenWithin), "no names are that old")
}

func TestARelayThatLeavesDuringTheWaitIsStillExpected(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	slow := r.relay("slow")
	r.inSync("slow")
	slow.hold.Lock()
	r.patch("web-1", 2)
	w := r.wait(Condition{})
	w.says("slow", "behind")
	late := r.relay("late")
	r.inSync("late")
	slow.agent.Close()
	w.says("slow", "is not connected")
	late.stop()
	w.says("late", "is not connected")
	slow.hold.Unlock()
	assert.Equal(t, []string{"late", "slow"}, namesOf(w.last.Missing))
}

func TestNoRelayAndTooFewAreNeverSuccess(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	p := r.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Inconclusive, p.Result)
	assert.Contains(t, p.Problem, "no relay")
	r.relay("a")
	r.inSync("a")
	p = r.wait(Condition{Min: 2, TimeoutSeconds: brief}).result()
	assert.Equal(t, Inconclusive, p.Result)
	assert.Contains(t, p.Problem, "at least 2")
	w := r.wait(Condition{Min: 2})
	r.relay("b")
	assert.Equal(t, Applied, w.result().Result)
}

func TestARelayWithoutAgentCountsOnlyIfThatIsAllowed(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	bare := r.bare()
	r.inSync("a")
	const name = "stream:127.0.0.1"
	r.eventually("sent", func() bool { return r.find(name).SentAll() })
	assert.False(t, r.find(name).InSync(), "sent is not applied")
	require.Len(t, r.local.Overview().Relays, 2, "the stream of a relay with an agent is not another relay")
	p := r.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
	assert.Equal(t, []string{name}, namesOf(p.Missing))
	assert.Equal(t, Applied, r.wait(Condition{AllowUnconfirmed: true}).result().Result)
	assert.Equal(t, Applied, r.wait(Condition{AllowUnconfirmed: true, Environment: "web-1", Version: 1}).result().Result)
	p = r.wait(Condition{AllowUnconfirmed: true, Environment: "web-1", Version: 2, TimeoutSeconds: brief}).result()
	assert.Equal(t, []string{"a", name}, namesOf(p.Missing))

	w := r.wait(Condition{})
	w.says(name, "has no agent")
	bare.stop()
	w.says(name, "its stream has ended") // it was there at the start, and nobody knows its configuration
}

// The link of a relay that has started again may come well after its stream: the link of its former process may be half-open.
func TestARelayIsNotMissedWhoseLinkComesAfterItsStream(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("b")
	former := r.relay("a")
	r.inSync("a", "b")
	former.stop()
	r.eventually("a left", func() bool { return !r.find("a").Connected })
	next := r.bare()
	r.eventually("its stream is there", func() bool { return r.find("stream:127.0.0.1").SentAll() })
	w := r.wait(Condition{})
	w.says("a", "is not connected")
	link, err := agent.New(next.manager, r.url, agent.WithName("a"))
	require.NoError(t, err)
	link.Start()
	t.Cleanup(link.Close)
	p := w.result()
	assert.Equal(t, Progress{Result: Applied, Done: 2, Total: 2, Missing: []MissingRelay{}}, p)
}

func TestAHubThatForgotWhomToExpectIsNotSureAtFirst(t *testing.T) {
	folder := t.TempDir()
	r := newRig(t, namesIn(folder), func(o *Options) { o.Settle = time.Hour })
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	p := r.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Inconclusive, p.Result)
	assert.Contains(t, p.Problem, "some may not have come back yet")
	assert.Equal(t, Applied, r.wait(Condition{Min: 1}).result().Result)
	assert.Equal(t, Applied, r.wait(Condition{Relays: []string{"a"}}).result().Result)

	r.local.Close()
	again := newRig(t, namesIn(folder), func(o *Options) { o.Settle = time.Hour })
	assert.NotEmpty(t, again.local.Overview().Unsettled, "the hub before it did not know, either")
	again.local.Close()

	settled := newRig(t, namesIn(folder))
	settled.local.Close()
	next := newRig(t, namesIn(folder), func(o *Options) { o.Settle = time.Hour })
	next.has(map[string]int{"web-1": 1})
	next.relay("b")
	next.inSync("b")
	p = next.wait(Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result, "a hub that kept the names of one that knew knows")
	assert.Equal(t, []string{"a"}, namesOf(p.Missing))
}

// partial is a view of several hubs, of which one can't be seen.
type partial struct{ Directory }

func (p partial) Overview() Overview {
	o := p.Directory.Overview()
	o.Incomplete = "hub-2 was not heard of for 30s"
	return o
}

func TestAnIncompleteViewIsNeverSuccess(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	r.api.Directory = partial{r.local}
	for _, c := range []Condition{{}, {Min: 1}, {Relays: []string{"a"}}} {
		c.TimeoutSeconds = brief
		p := r.wait(c).result()
		assert.Equal(t, Inconclusive, p.Result)
		assert.Contains(t, p.Problem, "hub-2")
	}
}

func TestOnlyRelaysThatMaySeeTheEnvironmentAreExpected(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.hub.SetKeys([]hub.Key{{Name: "web", Key: "rel-web", Projects: []string{"web"}}, {Name: "shop", Key: "rel-shop", Projects: []string{"shop"}}}))
	r.has(map[string]int{"web-1": 1, "shop-1": 7})
	r.relay("w", "rel-web")
	r.relay("s", "rel-shop")
	r.inSync("w", "s")
	p := r.wait(Condition{Environment: "web-1", Version: 1}).result()
	assert.Equal(t, Applied, p.Result)
	assert.Equal(t, 1, p.Total)
	p = r.wait(Condition{Environment: "web-1", Version: 2, TimeoutSeconds: brief}).result()
	assert.Equal(t, 2, p.Total, "the version may be on its way, and with it another view")
	p = r.wait(Condition{Environment: "web-1", Version: 1, Relays: []string{"s"}, TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result, "who is named is expected")
}

// A relay chooses its name, and relays without agent are called after their address, at each of several hubs.
func TestARelayOfTheSameNameHidesNoneThatMaySeeTheEnvironment(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.hub.SetKeys([]hub.Key{{Name: "hub", Key: testKey}, {Name: "shop", Key: "rel-shop", Projects: []string{"shop"}}}))
	r.has(map[string]int{"web-1": 1, "shop-1": 7})
	const name = "stream:127.0.0.1"
	r.relay("a")
	r.bare()
	r.relay(name, "rel-shop")
	r.inSync("a", name)
	r.eventually("all are there", func() bool { return len(r.local.Overview().Relays) == 3 })
	p := r.wait(Condition{Environment: "web-1", Version: 1, TimeoutSeconds: brief}).result()
	assert.Equal(t, Missing, p.Result)
	assert.Equal(t, []string{name}, namesOf(p.Missing))
	assert.Equal(t, 2, p.Total, "the one whose key does not show the environment is left out")
}

// The relays change all the time while somebody waits: whenever a wait says yes, each relay that was there at its start has
// applied the configuration that the hub had then, or a later one.
func TestWaitIsRightUnderEveryRace(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	var relays []testRelay
	for i := range 8 {
		relays = append(relays, r.relay(fmt.Sprintf("relay-%d", i)))
		r.inSync(fmt.Sprintf("relay-%d", i))
	}
	for version := 2; version < 30; version++ {
		slow := relays[version%len(relays)]
		slow.hold.Lock()
		r.patch("web-1", version)
		w := r.wait(Condition{})
		go func() {
			time.Sleep(time.Duration(version%5) * 10 * time.Millisecond)
			slow.manager.Reconnect()
			slow.hold.Unlock()
		}()
		p := w.result()
		require.Equal(t, Applied, p.Result)
		require.Equal(t, len(relays), p.Total)
		for _, relay := range relays {
			versions, _ := relay.manager.AppliedVersions()
			require.GreaterOrEqual(t, versions["web-1"], version)
		}
	}
}

func TestConditionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, c := range map[string]Condition{
		"version alone":           {Version: 1, TimeoutSeconds: 1},
		"environment alone":       {Environment: "web-1", TimeoutSeconds: 1},
		"environment and digest":  {Environment: "web-1", Version: 1, Digest: "0235403c3f7b773c7a6b04771cc3dcd6", TimeoutSeconds: 1},
		"no digest":               {Digest: "0235", TimeoutSeconds: 1},
		"negative least number":   {Min: -1, TimeoutSeconds: 1},
		"no timeout":              {},
		"timeout of a week":       {TimeoutSeconds: 7 * 24 * 3600},
		"negative time of seeing": {SeenWithinSeconds: -1, TimeoutSeconds: 1},
	} {
		assert.Error(t, c.check(DefaultSeenWithin), name)
	}
}
