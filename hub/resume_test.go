package hub_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

func id(e eventsource.Event) string { return e.(identified).Id() }

// TestResume is the rule for the events sent to a relay that brings the id of a state.
func TestResume(t *testing.T) {
	for name, test := range map[string]struct {
		options []hub.Option
		before  []upstream // the last of these leads to the state that the relay comes back with
		events  []upstream // while it is away
		resumed bool
		want    []string // after the event that shows the resume
	}{
		"nothing has changed": {resumed: true},
		"patches":             {events: []upstream{event(env("a", 2)), event(deleted("b", 2))}, resumed: true, want: []string{"patch a@2", "delete b@2"}},
		"another text":        {events: []upstream{event(env("a", 1))}, resumed: true},
		"a removal":           {events: []upstream{put(removed("a"))}, want: []string{"put b@1"}},
		"a removal, and back at a higher version": {
			events: []upstream{put(removed("a")), event(env("a", 2))}, want: []string{"put a@2 b@1"}},
		"a removal, and back at the same version": {
			events: []upstream{put(removed("a")), event(env("a", 1))}, want: []string{"put b@1", "put a@1 b@1"}},
		"a removal, and back at a lower version": {
			events: []upstream{put(removed("a")), event(env("a", 0))}, want: []string{"put b@1", "put a@0 b@1"}},
		"a removal before, and back at a lower version": {
			before: []upstream{put(removed("a"))}, events: []upstream{event(env("a", 0))}, want: []string{"put b@1", "put a@0 b@1"}},
		"a removal and a return before": {
			before: []upstream{put(removed("a")), event(env("a", 0))}, events: []upstream{event(env("b", 2))},
			resumed: true, want: []string{"patch b@2"}},
		"a return before, and another removal": {
			before: []upstream{put(removed("a")), event(env("a", 0))}, events: []upstream{put(removed("b"))},
			want: []string{"put a@0"}},
		"deleted, and back at the tombstone's version": {
			events: []upstream{event(deleted("a", 2)), put(env("a", 2))}, want: []string{"put a@2 b@1"}},
		"deleted, cleared, and back below the tombstone": {
			events: []upstream{event(deleted("a", 5)), put(), event(env("a", 3))}, want: []string{"put b@1", "put a@3 b@1"}},
		"more than the recent past": {
			options: []hub.Option{hub.WithRecentPast(2, 1<<20)},
			events:  []upstream{event(env("a", 2)), event(env("a", 3)), event(env("a", 4))}, want: []string{"put a@4 b@1"}},
		"as much as the recent past": {
			options: []hub.Option{hub.WithRecentPast(2, 1<<20)},
			events:  []upstream{event(env("a", 2)), event(env("a", 3))}, resumed: true, want: []string{"patch a@2", "patch a@3"}},
		"more bytes than the recent past": {
			options: []hub.Option{hub.WithRecentPast(100, 500)},
			events:  []upstream{event(env("a", 2)), event(env("a", 3))}, want: []string{"put a@3 b@1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1), env("b", 1)}, test.options...)
			grant, err := s.Authenticate(testKey)
			require.NoError(t, err)
			grant.View(1) // a view has a past from when it is first needed
			s.apply(test.before)
			last := grant.View(1).Digest
			s.apply(test.events)
			relay := s.open(t, request{id: last})
			if test.resumed {
				first := relay.next()
				assert.Equal(t, "resumed", short(t, first))
				assert.JSONEq(t, `{"path":"/relayconf/resumed","data":{}}`, first.Data())
				assert.Equal(t, last, id(first), "the id of the state that the relay has, which is all that it may come back with")
				require.Equal(t, "true", relay.header.Get("Relayconf-Resumed"))
			} else {
				assert.Empty(t, relay.header.Get("Relayconf-Resumed"))
			}
			var e eventsource.Event
			for _, want := range test.want {
				e = relay.next()
				require.Equal(t, want, short(t, e))
			}
			if test.resumed && e != nil {
				assert.NotEmpty(t, relay.header.Get("Relayconf-Unconfirmed"), "it lacks the latest changes at first")
				e = relay.next()
				assert.Equal(t, "confirmed", short(t, e))
			} else {
				assert.Empty(t, relay.header.Get("Relayconf-Unconfirmed"))
			}
			if e != nil {
				assert.Equal(t, grant.View(1).Digest, id(e))
			}
			s.Changes(false, changes{env("end", 1)})
			assert.Equal(t, "patch end@1", short(t, relay.next()))
		})
	}
}

func (s *server) apply(all []upstream) {
	for _, e := range all {
		s.Changes(e.put, e.changes)
	}
}

// TestAResumedRelayMayHaveATombstoneFromBefore follows one of two projects, in which its tombstone was not cleared.
func TestAResumedRelayMayHaveATombstoneFromBefore(t *testing.T) {
	for name, viewBefore := range map[string]bool{"the view has seen it": true, "the view is new": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1), env("b", 1)})
			require.NoError(t, s.SetKeys([]hub.Key{{Name: "web", Key: testKey, Projects: []string{"web"}}}))
			grant, err := s.Authenticate(testKey)
			require.NoError(t, err)
			if viewBefore {
				grant.View(1)
			}
			s.apply([]upstream{event(deleted("a", 3)), event(envIn("mobile", "x", "a", 5)), put(removed("a")), event(env("b", 2))})
			relay := s.open(t, request{id: grant.View(1).Digest})
			require.Equal(t, "resumed", short(t, relay.next()))
			s.Changes(false, changes{env("a", 2)})
			assert.Equal(t, "put b@2", short(t, relay.next()))
			assert.Equal(t, "put a@2 b@2", short(t, relay.next()))
		})
	}
}

// TestAStateThatCameBackMayBeHeldFromBefore, with a tombstone, by a relay whose place is beyond the recent past.
func TestAStateThatCameBackMayBeHeldFromBefore(t *testing.T) {
	s := newServer(t, changes{env("a", 1), env("b", 1)}, hub.WithRecentPast(1, 1<<20))
	relay := s.open(t, request{})
	require.Equal(t, "put a@1 b@1", short(t, relay.next()))
	s.Changes(false, changes{deleted("a", 2)})
	held := id(relay.next())
	s.apply([]upstream{put(env("a", 1)), put(removed("a"))})
	relay = s.open(t, request{id: held})
	require.Equal(t, "resumed", short(t, relay.next()))
	s.Changes(false, changes{env("a", 1)})
	assert.Equal(t, "put b@1", short(t, relay.next()))
	assert.Equal(t, "put a@1 b@1", short(t, relay.next()))
}

// TestARelayWithoutAKnownIdMayHaveMissedAnything gets two puts, as long as an item is below a version that was sent.
func TestARelayWithoutAKnownIdMayHaveMissedAnything(t *testing.T) {
	s := newServer(t, changes{env("a", 5), env("b", 1)})
	s.Changes(true, changes{removed("a")})
	s.Changes(false, changes{env("a", 3)})
	for _, unknown := range []string{"", "00000000000000000000000000000001", "of another service"} {
		relay := s.open(t, request{id: unknown})
		assert.Equal(t, "put b@1", short(t, relay.next()))
		assert.Equal(t, "put a@3 b@1", short(t, relay.next()))
	}
	s.Changes(false, changes{env("a", 6)})
	assert.Equal(t, "put a@6 b@1", short(t, s.open(t, request{plain: true}).next()), "relays take this version in any case")
}

// TestResumeOverARestart: a state has the same id in every hub.
func TestResumeOverARestart(t *testing.T) {
	first, second := newServer(t, changes{env("a", 1), env("b", 1)}), newServer(t, changes{env("b", 1), env("a", 1)})
	last := id(first.open(t, request{}).next())
	assert.Equal(t, "resumed", short(t, second.open(t, request{id: last}).next()))
}

// TestAStoredConfigurationIsResumedFrom: the hub starts from its store, and has what is newer before a relay asks.
func TestAStoredConfigurationIsResumedFrom(t *testing.T) {
	stored := changes{env("a", 1), env("b", 1)}
	for name, start := range map[string]func(h *hub.Hub, keys, source func()){
		"keys first":   func(h *hub.Hub, keys, source func()) { keys(); source(); h.Changes(true, stored) },
		"source last":  func(h *hub.Hub, keys, source func()) { keys(); h.Changes(true, stored); source() },
		"keys at last": func(h *hub.Hub, keys, source func()) { source(); h.Changes(true, stored); keys() },
	} {
		for _, filters := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				id := newServer(t, stored).open(t, request{filters: filters}).next().Id()
				h := hub.New(noKeepalives)
				start(h, func() { require.NoError(t, h.SetKeys([]hub.Key{{Name: "all", Key: testKey}})) },
					func() { h.SetSource(hub.Source{Kind: hub.SourceStore, Time: time.Now()}) })
				h.Changes(true, changes{env("a", 2), env("b", 1)})
				h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
				relay := serve(t, h).open(t, request{id: id, filters: filters})
				require.Equal(t, "true", relay.header.Get("Relayconf-Resumed"))
				relay.next()
				assert.Equal(t, "patch a@2", short(t, relay.next()))
			})
		}
	}
}

// TestAStoredConfiguration is served only to relays that can't have a newer one, until the source has confirmed it.
func TestAStoredConfiguration(t *testing.T) {
	h := hub.New()
	require.NoError(t, h.SetKeys([]hub.Key{{Name: "all", Key: testKey}}))
	h.Follow(autoconfig.Status{Source: autoconfig.SourceStore, SnapshotAge: time.Hour})
	h.Changes(true, changes{env("a", 1)})
	s := serve(t, h)
	assert.InDelta(t, time.Hour, time.Since(s.Status().Source.Time), float64(time.Minute))
	newcomer := s.open(t, request{}).next()
	assert.Equal(t, "put a@1", short(t, newcomer), "a relay that brings no id")
	assert.Equal(t, "resumed", short(t, s.open(t, request{id: id(newcomer)}).next()), "a relay that can resume")
	other := request{id: "00000000000000000000000000000001"}
	response, text := s.refused(t, other)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Contains(t, text, "confirm")

	s.Follow(autoconfig.Status{Source: autoconfig.SourceStream})
	assert.Equal(t, "put a@1", short(t, s.open(t, other).next()), "confirmed, it is served to all")
}
