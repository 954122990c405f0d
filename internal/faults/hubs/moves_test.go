//go:build linux && servers

package hubs

import (
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/link/agent"
)

// The relay is in the process of the test, so that it comes back at once: others wait for up to half a minute if their
// links end again and again.
func TestARelayThatMovesAgainAndAgainIsNeverShownTwice(t *testing.T) {
	t.Parallel()
	const moves = 40
	redis := startRedis(t)
	f := newFleet(t, urlOf(redis.Addr()), 3, 3)
	mover := f.addMover(t)
	f.waitForWhole(t, f.hubs...)
	f.watch(t)
	for i := range moves {
		before := mover.count(aLink)
		switch i % 4 {
		case 0: // from a hub that knows it, and does not notice
			f.waitForWhole(t, f.hubs...)
			mover.lose(aLink)
		case 1:
			f.waitForWhole(t, f.hubs...)
			mover.cut(aLink)
		case 2: // perhaps before a hub knows it
			mover.cut(aLink)
			mover.cut(aStream)
		case 3:
			mover.cut(aLink)
		}
		require.Eventually(t, func() bool { return mover.count(aLink) > before }, soon, time.Millisecond)
	}
	f.waitForWhole(t, f.hubs...)
	for _, h := range f.hubs {
		h.run(t, applied, f.wait(soon)...)
	}
}

// addMover adds a relay whose link comes back within milliseconds.
func (f *fleet) addMover(t *testing.T) *relay {
	t.Helper()
	var addrs []string
	for _, h := range f.hubs {
		addrs = append(addrs, h.addr)
	}
	b := newBalancer(t, 0, addrs)
	loggers := ldlog.NewDisabledLoggers()
	client, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "mover", loggers)
	require.NoError(t, err)
	manager := autoconfig.NewStreamManager(theKey, "http://"+b.addr(), autoconfigtest.NewRecorder(), client, time.Millisecond, loggers)
	link, err := agent.New(manager, "ws://"+b.addr()+"/link", agent.WithName("zz-mover"),
		agent.WithBackoff(time.Millisecond, 10*time.Millisecond))
	require.NoError(t, err)
	manager.Start()
	link.Start()
	t.Cleanup(func() {
		link.Close()
		manager.Close()
		<-manager.Done()
	})
	mover := &relay{&process{name: link.Name()}, b}
	f.relays = append(f.relays, mover)
	return mover
}
