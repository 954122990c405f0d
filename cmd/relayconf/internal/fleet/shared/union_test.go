//go:build servers

package shared

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachHubShowsTheRelaysOfAll(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	startRelay(t, one.addr, "a")
	b := startRelay(t, two.addr, "b")
	for _, r := range []*rig{one, two} {
		r.shows("a", one)
		r.shows("b", two)
		o := r.Overview()
		assert.Len(t, o.Relays, 2, "with a link, the stream is not shown as a relay without agent")
		require.Len(t, o.Hubs, 2)
		assert.Equal(t, []string{"hub-1", "hub-2"}, []string{o.Hubs[0].Name, o.Hubs[1].Name})
		assert.Equal(t, r.name, o.Hub)
	}
	one.eventually("all of it", func() bool {
		there, here := one.find("b"), two.find("b")
		return there.Status != nil && there.Address == here.Address && there.Version == "test 1" && there.RoundTrip > 0 && there.Since.Equal(here.Since)
	})
	b.stop()
	one.eventually("b is absent", func() bool { return !one.find("b").Connected && one.find("b").Agent })
}

func TestARelayThatMovesIsShownOnceAndAtItsNewHub(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	balancer := newLine(t, one.addr)
	startRelay(t, balancer.addr(), "a")
	hubs := []*rig{one, two}
	for round := range 4 {
		at := hubs[round%2]
		for _, r := range hubs {
			r.shows("a", at) // and looks often whether it is there twice
		}
		assert.Len(t, one.Overview().Relays, 1)
		balancer.lead(hubs[(round+1)%2].addr)
	}
}

func TestARelayOfAHubThatDiedIsShownWhereItHasGoneWhileTheNewsOfThatHubCount(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	long := func(o *Options) { o.Expiry = time.Hour }
	one, two := startHub(t, server.url(), "hub-1", long), startHub(t, "redis://"+toRedis.addr(), "hub-2", long)
	three := startHub(t, server.url(), "hub-3", long)
	balancer := newLine(t, two.addr)
	startRelay(t, balancer.addr(), "a")
	three.shows("a", two)
	toRedis.cut()
	balancer.lead(one.addr)
	three.shows("a", one)
	assert.Len(t, three.Overview().Hubs, 3)
}

func TestTheStreamAndTheLinkOfARelayMayBeToTwoHubs(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	balancer := newLine(t, one.addr)
	a := startRelay(t, balancer.addr(), "a")
	two.shows("a", one)
	other := two.addr
	balancer.target.Store(&other) // for new connections
	require.NoError(t, one.Call(t.Context(), "a", reconnect, reconnected))
	two.eventually("its stream is at the second hub", func() bool { return len(two.hub.Relays()) == 1 })
	for _, r := range []*rig{one, two} {
		r.shows("a", one)
		assert.Len(t, r.Overview().Relays, 1)
	}
	assert.True(t, a.agent.Connected())
}

func TestAHubThatEndsInOrderIsNotMissed(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	two.end()
	one.eventually("it has gone", func() bool { return len(one.Overview().Hubs) == 0 })
	assert.Empty(t, one.Overview().Incomplete)
	assert.True(t, one.find("b").Agent && !one.find("b").Connected, "its relay is expected all the same")
}

func TestAHubThatDiesIsMissedUntilItIsBackOrForgotten(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	one, two := startHub(t, server.url(), "hub-1", missedSoon), startHub(t, "redis://"+toRedis.addr(), "hub-2", missedSoon)
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	toRedis.cut()
	one.says("the hub hub-2 has not been heard of for")
	assert.False(t, one.find("b").Connected)
	assert.Equal(t, "hub-2", one.find("b").Hub, "where it was last")
	assert.Equal(t, 0, one.Stats().Hubs)
	assert.Equal(t, 1, one.Stats().Missing)
	two.says("has failed")
	assert.True(t, two.find("b").InSync(), "a hub without Redis knows its own")

	toRedis.mend()
	one.shows("b", two)
	toRedis.cut()
	one.says("has not been heard of")
	three := startHub(t, server.url(), "hub-3", missedSoon)
	three.says("hub-2")
	require.NoError(t, one.ForgetHub("hub-2"))
	one.complete()
	three.complete()
	assert.ErrorContains(t, one.ForgetHub("hub-2"), "there is no hub")
	assert.ErrorContains(t, one.ForgetHub("hub-3"), "is connected")
	toRedis.mend()
	one.shows("b", two)
	three.shows("b", two)
}

func TestAHubThatStartsAgainTakesThePlaceOfTheFormer(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	one, two := startHub(t, server.url(), "hub-1", missedSoon), startHub(t, "redis://"+toRedis.addr(), "hub-2", missedSoon)
	one.complete()
	two.complete()
	one.eventually("it is there", func() bool { return len(one.Overview().Hubs) == 2 })
	toRedis.cut()
	one.says("hub-2")
	again := startHub(t, server.url(), "hub-2", missedSoon)
	one.complete()
	again.complete()
	assert.Len(t, one.Overview().Hubs, 2)
}

func TestTwoHubsOfOneNameAreToldApart(t *testing.T) {
	url := startServer(t).url()
	one, same := startHub(t, url, "hub"), startHub(t, url, "hub")
	startRelay(t, same.addr, "b")
	one.eventually("b", func() bool { return one.find("b").InSync() })
	assert.Regexp(t, `^hub \([a-z0-9]{4}\)$`, one.find("b").Hub)
	assert.Equal(t, "hub", same.find("b").Hub)
	one.complete()
}

func TestForgettingReachesAllHubs(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	b := startRelay(t, two.addr, "b")
	one.shows("b", two)
	assert.ErrorContains(t, one.Forget("b"), "connected to the hub hub-2")
	b.stop()
	one.eventually("absent", func() bool { return one.find("b").Name != "" && !one.find("b").Connected })
	require.NoError(t, one.Forget("b"))
	for _, r := range []*rig{one, two} {
		r.eventually("forgotten", func() bool { return r.find("b").Name == "" })
		assert.Equal(t, []string{"b"}, r.Overview().Forgotten)
	}
	three := startHub(t, url, "hub-3")
	three.complete()
	assert.Empty(t, three.find("b").Name)
	startRelay(t, three.addr, "b")
	one.shows("b", three)
	assert.Empty(t, one.Overview().Forgotten)
}

func TestHubsKnowWhomToExpectAfterAllHaveStartedAgain(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	b := startRelay(t, two.addr, "b")
	one.shows("b", two)
	b.stop()
	one.end()
	two.end()
	again := startHubThatSettles(t, time.Hour, url, "hub-1")
	again.complete()
	assert.True(t, again.find("b").Agent)
	assert.Empty(t, again.Overview().Unsettled)
	fresh := startHubThatSettles(t, time.Hour, startServer(t).url(), "hub-1")
	fresh.complete()
	assert.NotEmpty(t, fresh.Overview().Unsettled, "nobody has told it of any relay")
}

func TestNamesAloneAreKeptForEachHub(t *testing.T) {
	url := startServer(t).url()
	alone := func(o *Options) { o.NamesOnly = true }
	one, two := startHub(t, url, "hub-1", alone), startHub(t, url, "hub-2", alone)
	hasOnly := func(r *rig, name string) {
		r.eventually(name, func() bool { // before the link there is a stream, which has no name
			relays := r.local.Overview().Relays
			return len(relays) == 1 && relays[0].Name == name
		})
	}
	startRelay(t, one.addr, "a")
	startRelay(t, two.addr, "b")
	hasOnly(one, "a")
	hasOnly(two, "b")
	one.end()
	hasOnly(startHub(t, url, "hub-1", alone), "a")
	hasOnly(two, "b")
}

func TestARosterThatDoesNotChangeIsNotWrittenAgain(t *testing.T) {
	server := startServer(t)
	one, two := startHub(t, server.url(), "hub-1"), startHub(t, server.url(), "hub-2")
	startRelay(t, one.addr, "a")
	two.shows("a", one)
	two.eventually("all of it", func() bool { return two.find("a").RoundTrip > 0 && two.find("a").Status != nil })
	client, part := server.client(t), strconv.Itoa(partOf("a"))
	number := func() uint64 {
		one.mu.Lock()
		defer one.mu.Unlock()
		return one.peers.number
	}
	written := func() string {
		text, err := client.HGet(t.Context(), one.where().roster(one.instance), part).Result()
		require.NoError(t, err)
		return text
	}
	before, from := written(), number()
	one.eventually("ten heartbeats", func() bool { return number() > from+10 })
	assert.Equal(t, before, written())
}

func TestTheRecordsOfAHubExpire(t *testing.T) {
	server := startServer(t)
	one := startHub(t, server.url(), "hub-1")
	startRelay(t, one.addr, "a")
	one.complete()
	client := server.client(t)
	var left time.Duration
	one.eventually("written", func() bool {
		left = client.PTTL(t.Context(), one.where().roster(one.instance)).Val()
		return left > 0
	})
	assert.LessOrEqual(t, left, DefaultExpiry)
	for _, key := range client.Keys(t.Context(), "*").Val() {
		one.eventually(key+" expires", func() bool { return client.PTTL(t.Context(), key).Val() > 0 })
		assert.Contains(t, key, "{"+one.where().fleet+"}", "one hash tag")
		assert.NotContains(t, key, string(fleetKey))
	}
}
