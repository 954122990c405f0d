package hub_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/internal/digest"
)

type changes = []autoconfig.Change

// upstream is one event of the source, and the events that relays get for it.
type upstream struct {
	put     bool
	changes changes
	want    []string
}

func put(c ...autoconfig.Change) upstream   { return upstream{put: true, changes: c} }
func event(c ...autoconfig.Change) upstream { return upstream{changes: c} }

func (u upstream) sends(want ...string) upstream { u.want = want; return u }

// TestWhenAPutWhenPatches is the rule of when relays that follow get a put, and when patches and deletes. An event that
// sends nothing shows in the next one.
func TestWhenAPutWhenPatches(t *testing.T) {
	for name, events := range map[string][]upstream{
		"a patch":              {event(env("a", 2)).sends("patch a@2")},
		"a delete":             {event(deleted("a", 2)).sends("delete a@2")},
		"a new environment":    {event(env("c", 1)).sends("patch c@1")},
		"a put of nothing new": {put()},
		"a put with newer and new ones": {
			put(env("a", 2), env("c", 0)).sends("patch a@2", "patch c@0")},
		"a put that removes":               {put(removed("a")).sends("put b@1")},
		"a put that removes and changes":   {put(env("b", 2), removed("a")).sends("put b@2")},
		"a put with stored tombstones":     {put(env("c", 1), deleted("d", 4)).sends("patch c@1")},
		"another text at the same version": {event(env("a", 1))},
		"a delete of an environment that is not known": {
			event(deleted("x", 3)), event(env("x", 4)).sends("patch x@4")},
		"removed, and back at a higher version": {
			put(removed("a")).sends("put b@1"), event(env("a", 2)).sends("patch a@2")},
		"removed, and back at the same version": {
			put(removed("a")).sends("put b@1"), event(env("a", 1)).sends("put a@1 b@1")},
		"removed, and back at a lower version": {
			put(removed("a")).sends("put b@1"), event(env("a", 0)).sends("put b@1", "put a@0 b@1")},
		"deleted, and back at the tombstone's version": {
			event(deleted("a", 2)).sends("delete a@2"), put(env("a", 2)).sends("put a@2 b@1")},
		"deleted, and back above the tombstone": {
			event(deleted("a", 2)).sends("delete a@2"), event(env("a", 3)).sends("patch a@3")},
		"deleted, and back below the tombstone, which a put has cleared": {
			event(deleted("a", 5)).sends("delete a@5"), put(), event(env("a", 3)).sends("put b@1", "put a@3 b@1")},
		"deleted, its tombstone cleared by a put, and deleted again at a lower version": {
			event(deleted("a", 5)).sends("delete a@5"), put(), event(deleted("a", 2)), event(env("a", 3)).sends("put b@1", "put a@3 b@1")},
		"back, and still below the highest version": {
			event(env("a", 9)).sends("patch a@9"), put(removed("a")).sends("put b@1"), event(env("a", 3)).sends("put b@1", "put a@3 b@1"),
			event(env("a", 4)).sends("put a@4 b@1"), event(env("a", 10)).sends("patch a@10")},
		"another project":                       {event(envIn("mobile", "x", "a", 2)).sends("patch a@2")},
		"the filter of a relay that knows none": {event(filterChange("web", "eu", 1))},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1), env("b", 1)})
			relay := s.open(t, request{})
			assert.Equal(t, "put a@1 b@1", short(t, relay.next()))
			for _, e := range append(events, event(env("end", 1)).sends("patch end@1")) {
				s.Changes(e.put, e.changes)
				for _, want := range e.want {
					require.Equal(t, want, short(t, relay.next()))
				}
			}
		})
	}
}

// TestWhatDoesNotTouchAViewSendsNothingThere has one relay for each of two projects.
func TestWhatDoesNotTouchAViewSendsNothingThere(t *testing.T) {
	const webKey, mobileKey = "rel-web", "rel-mobile"
	type step struct {
		upstream
		mobile []string // the events for the relay of the other project
	}
	there := step{event(envIn("mobile", "x", "a", 2)).sends("put b@1"), []string{"patch a@2"}}
	for name, steps := range map[string][]step{
		"a patch":                    {{event(env("a", 2)).sends("patch a@2"), nil}},
		"a delete":                   {{event(deleted("m", 2)), []string{"delete m@2"}}},
		"a put that removes":         {{put(removed("a"), envIn("mobile", "x", "m", 2)).sends("put b@1"), []string{"patch m@2"}}},
		"a move is a removal":        {there},
		"there and back":             {there, {event(env("a", 3)).sends("patch a@3"), []string{"put m@1"}}},
		"a move at the same version": {{event(envIn("mobile", "x", "a", 1)).sends("put b@1"), []string{"put a@1 m@1"}}},
		"a delete after a move":      {there, {event(deleted("a", 3)), []string{"delete a@3"}}},
		"a tombstone outlasts what happens elsewhere": {{event(deleted("a", 3)).sends("delete a@3"), nil},
			{event(envIn("mobile", "x", "a", 5)), []string{"patch a@5"}}, {put(removed("a")), []string{"put m@1"}},
			{event(env("b", 2)).sends("patch b@2"), nil}, {event(env("a", 2)).sends("put b@2", "put a@2 b@2"), nil}},
		"filters": {{event(filterChange("web", "eu", 1)).sends("patch web.eu@1"), nil},
			{event(filterChange("mobile", "eu", 2)), []string{"patch mobile.eu@2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1), env("b", 1), envIn("mobile", "x", "m", 1)})
			require.NoError(t, s.SetKeys([]hub.Key{
				{Name: "web", Key: webKey, Projects: []string{"web"}},
				{Name: "mobile", Key: mobileKey, Environments: []string{"mob*/*"}},
			}))
			web, mobile := s.open(t, request{key: webKey, filters: true}), s.open(t, request{key: mobileKey, filters: true})
			assert.Equal(t, "put a@1 b@1", short(t, web.next()))
			assert.Equal(t, "put m@1", short(t, mobile.next()))
			end := step{event(env("end", 1), envIn("mobile", "x", "mend", 1)).sends("patch end@1"), []string{"patch mend@1"}}
			for _, e := range append(steps, end) {
				s.Changes(e.put, e.changes)
				for _, want := range e.want {
					require.Equal(t, want, short(t, web.next()))
				}
				for _, want := range e.mobile {
					require.Equal(t, want, short(t, mobile.next()))
				}
			}
		})
	}
}

func TestIdsAreDigestsOfTheState(t *testing.T) {
	s := newServer(t, changes{env("a", 1), filterChange("web", "eu", 3)})
	withFilters, without := s.open(t, request{filters: true}), s.open(t, request{})
	var d, f digest.Digest
	d.Add(digest.Environment, "a", 1)
	f = d
	f.Add(digest.Filter, "web.eu", 3)
	assert.Equal(t, d.String(), without.next().(identified).Id())
	assert.Equal(t, f.String(), withFilters.next().(identified).Id())

	s.Changes(true, changes{env("b", 2), env("a", 2)}) // two patches: each has the id of the state between
	d.Add(digest.Environment, "b", 2)
	assert.Equal(t, d.String(), without.next().(identified).Id())
	d.Remove(digest.Environment, "a", 1)
	d.Add(digest.Environment, "a", 2)
	assert.Equal(t, d.String(), without.next().(identified).Id())
	grant, err := s.Authenticate(testKey)
	require.NoError(t, err)
	assert.Equal(t, d.String(), grant.View(1).Digest)
	assert.Equal(t, hub.Versions{Digest: d.String(), Environments: map[string]int{"a": 2, "b": 2}, Filters: map[string]int{}},
		grant.Versions(1))
	assert.Equal(t, map[string]int{"web.eu": 3}, grant.Versions(2).Filters)
}

type identified interface{ Id() string }

func TestTextsArePassedOnAsTheyCame(t *testing.T) {
	text := "{\n \"envID\": \"a\",\r\n  \"version\": 1, \"new\": {\"x\": [1, null]} }"
	s := newServer(t, changes{{Kind: autoconfig.EnvironmentChanged, ID: "a", Version: 1, Text: []byte(text)}})
	one := strings.NewReplacer("\n", " ", "\r", " ").Replace(text)
	relay := s.open(t, request{})
	assert.Equal(t, `{"path":"/","data":{"environments":{"a":`+one+`}}}`, relay.next().Data())
	s.Changes(false, changes{{Kind: autoconfig.EnvironmentChanged, ID: `b"`, Version: 1, Text: []byte(text)}})
	assert.Equal(t, `{"path":"/environments/b\"","data":`+one+`}`, relay.next().Data())

	other := changes{{Kind: autoconfig.EnvironmentChanged, ID: "a", Version: 1, Text: []byte(`{"other":1}`)}}
	s.Changes(false, other)
	assert.Contains(t, s.open(t, request{}).next().Data(), `"a":{"other":1}`, "newcomers get the newest text")
}

func TestAFilterMayHaveAnyMembers(t *testing.T) {
	odd := filterChange("web", "eu", 1)
	odd.Text = []byte(`{"projKey":"web","key":"eu","version":1,"envKey":["production"]}`)
	s := newServer(t, changes{env("a", 1), odd})
	assert.Contains(t, s.open(t, request{filters: true}).next().Data(), string(odd.Text))
}

func TestATextThatIsNoJSONIsLeftOut(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	s.Changes(true, changes{{Kind: autoconfig.EnvironmentChanged, ID: "b", Version: 1, Text: []byte(`{"x":`)}, env("c", 1)})
	assert.Equal(t, "put a@1 c@1", short(t, s.open(t, request{}).next()))
}

func TestRequests(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	for name, test := range map[string]struct {
		method, path string
		status       int
	}{
		"another path":   {http.MethodGet, "/", http.StatusNotFound},
		"another method": {http.MethodPost, "/relay_auto_config", http.StatusMethodNotAllowed},
		"no key":         {http.MethodGet, "/relay_auto_config", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(test.method, s.http.URL+test.path, nil)
			require.NoError(t, err)
			response, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, test.status, response.StatusCode)
		})
	}
	relay := s.open(t, request{})
	assert.Equal(t, "text/event-stream", relay.header.Get("Content-Type"))
	assert.Equal(t, "no-cache, no-transform", relay.header.Get("Cache-Control"))
	assert.Equal(t, "no", relay.header.Get("X-Accel-Buffering"))
	assert.Equal(t, "Accept-Encoding, Authorization", relay.header.Get("Vary"))
	assert.Empty(t, relay.header.Get("Relayconf-Resumed"))
}

func TestAHubWithoutAConfigurationOrKeysRefusesForNow(t *testing.T) {
	s := serve(t, hub.New())
	_, text := s.refused(t, request{})
	assert.Contains(t, text, "not yet")
	require.NoError(t, s.SetKeys([]hub.Key{{Name: "all", Key: testKey}}))
	response, text := s.refused(t, request{})
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.NotEmpty(t, response.Header.Get("Retry-After"))
	assert.Contains(t, text, "no configuration yet")
	s.Changes(true, nil)
	assert.Equal(t, "put", short(t, s.open(t, request{}).next()))
	assert.Equal(t, uint64(1), s.Status().Counters.RefusedNoConfig)
}
