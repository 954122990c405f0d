//go:build servers

package shared

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/hub"
)

const brief = 1.5 // seconds, of a wait that is to fail

var before = map[string]int{"web-1": 1}
var after = map[string]int{"web-1": 2}

func TestWaitIsForTheRelaysOfAllHubs(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	startRelay(t, one.addr, "a")
	slow := startRelay(t, two.addr, "slow")
	for _, r := range []*rig{one, two} {
		r.shows("a", one)
		r.shows("slow", two)
		assert.Equal(t, fleet.Progress{Result: fleet.Applied, Done: 2, Total: 2, Missing: []fleet.MissingRelay{}}, r.wait(fleet.Condition{}).result())
	}
	for _, c := range []fleet.Condition{{}, {Environment: "web-1", Version: 2}} {
		slow.hold.Lock()
		one.has(after)
		two.has(after)
		w := one.wait(c)
		w.says("slow", "")
		slow.hold.Unlock()
		assert.Equal(t, fleet.Applied, w.result().Result)
		one.has(before)
		two.has(before)
		one.shows("a", one)
		one.shows("slow", two)
	}
}

// The relays whose names are in Redis may be the first ones to come back after everything was lost.
func TestOnlyAHubThatKnowsWhomToExpectTellsOthers(t *testing.T) {
	url := startServer(t).url()
	one, two := startHubThatSettles(t, time.Hour, url, "hub-1"), startHubThatSettles(t, time.Hour, url, "hub-2")
	startRelay(t, one.addr, "a")
	for _, r := range []*rig{one, two} {
		r.shows("a", one)
		p := r.wait(fleet.Condition{TimeoutSeconds: brief}).result()
		assert.Equal(t, fleet.Inconclusive, p.Result)
		assert.Contains(t, p.Problem, "kept no names")
	}
	startHub(t, url, "hub-3") // it knows
	for _, r := range []*rig{one, two, startHubThatSettles(t, time.Hour, url, "hub-4")} {
		r.shows("a", one)
		assert.Equal(t, fleet.Applied, r.wait(fleet.Condition{}).result().Result)
	}
}

func TestWaitIsForTheConfigurationOfTheHubThatIsAsked(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	one.has(after) // the other hub does not know yet
	one.shows("a", one)
	two.eventually("in sync, as its hub sees it", func() bool { return two.find("b").InSync() })
	one.eventually("behind, as this hub sees it", func() bool { r := one.find("b"); return r.Connected && !r.InSync() && !r.Behind.IsZero() })
	for _, c := range []fleet.Condition{{}, {Environment: "web-1", Version: 2}} {
		c.TimeoutSeconds = brief
		p := one.wait(c).result()
		assert.Equal(t, fleet.Missing, p.Result)
		require.Len(t, p.Missing, 1)
		assert.Equal(t, "b", p.Missing[0].Name)
	}
	w := one.wait(fleet.Condition{})
	w.says("b", "behind")
	two.has(after)
	assert.Equal(t, fleet.Applied, w.result().Result)
}

func TestARelayWhoseKeyThisHubDoesNotKnowIsMissing(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	require.NoError(t, one.hub.SetKeys([]hub.Key{{Name: "hub", Key: fleetKey}}))
	startRelay(t, two.addr, "b", otherKey)
	two.shows("b", two)
	one.eventually("it is there", func() bool { return one.find("b").Connected })
	p := one.wait(fleet.Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, fleet.Missing, p.Result)
	require.Len(t, p.Missing, 1)
	assert.Contains(t, p.Missing[0].Reason, `has the key "second", which this hub does not know`)
	assert.Equal(t, fleet.Applied, one.wait(fleet.Condition{Environment: "web-1", Version: 1}).result().Result, "the relay itself is asked")
}

func TestARelayThatComesFromAHubThatDiedIsMissingUntilItHasConfirmed(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	one, two := startHub(t, server.url(), "hub-1", missedSoon), startHub(t, "redis://"+toRedis.addr(), "hub-2", missedSoon)
	balancer := newLine(t, two.addr)
	moves := startRelay(t, balancer.addr(), "moves")
	one.shows("moves", two)
	w := one.wait(fleet.Condition{Min: 2}) // no success
	toRedis.cut()
	balancer.cut()
	w.says("moves", "is not connected")
	p := one.wait(fleet.Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, fleet.Inconclusive, p.Result, "the dead hub may have more relays")
	assert.Contains(t, p.Problem, "hub-2")
	require.NoError(t, one.ForgetHub("hub-2"))
	moves.hold.Lock()
	one.has(after)
	balancer.lead(one.addr)
	one.eventually("it is here", func() bool { return one.find("moves").Hub == "hub-1" && one.find("moves").Connected })
	p = one.wait(fleet.Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, fleet.Missing, p.Result)
	moves.hold.Unlock()
	assert.Equal(t, fleet.Applied, one.wait(fleet.Condition{}).result().Result)
}

// All that the hub knows says yes. But it is old.
func TestWaitAsksTheOtherHubsBeforeItSaysYes(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	long := func(o *Options) { o.Expiry = time.Minute }
	one, two := startHub(t, server.url(), "hub-1", long), startHub(t, "redis://"+toRedis.addr(), "hub-2", long)
	b := startRelay(t, two.addr, "b")
	one.shows("b", two)
	toRedis.cut()
	b.stop()
	require.True(t, one.find("b").InSync())
	require.Empty(t, one.Overview().Incomplete)
	p := one.wait(fleet.Condition{TimeoutSeconds: brief}).result()
	assert.Equal(t, fleet.Inconclusive, p.Result)
	assert.Contains(t, p.Problem, "have yet to confirm it")
	w := one.wait(fleet.Condition{})
	toRedis.mend()
	w.says("b", "is not connected")
}

func TestAfterARotationHubsFindEachOtherAgain(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1", missedSoon), startHub(t, url, "hub-2", missedSoon)
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	former := one.where().fleet
	require.NoError(t, one.SetKey("rel-rotated"))
	assert.NotEqual(t, former, one.where().fleet)
	one.says("hub-2")
	two.says("hub-1")
	assert.False(t, one.find("b").Connected, "it is expected, though nobody has told of it in the new fleet")
	assert.Equal(t, fleet.Inconclusive, one.wait(fleet.Condition{TimeoutSeconds: brief}).result().Result)
	three := startHub(t, url, "hub-3", func(o *Options) { o.Key = "rel-rotated" })
	three.says("hub-2")
	require.NoError(t, two.SetKey("rel-rotated"))
	for _, r := range []*rig{one, two, three} {
		r.shows("b", two)
	}
	one.eventually("calls", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return one.Call(ctx, "b", reconnect, reconnected) == nil
	})
}
