package hub_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/hub"
)

func TestMistakesInKeysChangeNothing(t *testing.T) {
	sum := sha256.Sum256([]byte("rel-x"))
	hash := hex.EncodeToString(sum[:])
	for name, test := range map[string]struct {
		key  hub.Key
		want string
	}{
		"no name":                 {hub.Key{Key: "rel-x"}, `key 2 (""): it has no name`},
		"no key":                  {hub.Key{Name: "x"}, `key 2 ("x"): it has neither the key nor its SHA-256`},
		"both":                    {hub.Key{Name: "x", Key: "rel-x", SHA256: hash}, `it has both the key and its SHA-256`},
		"a short hash":            {hub.Key{Name: "x", SHA256: hash[2:]}, "64 hexadecimal digits"},
		"a long hash":             {hub.Key{Name: "x", SHA256: hash + "00"}, "64 hexadecimal digits"},
		"no hash":                 {hub.Key{Name: "x", SHA256: "g" + hash[1:]}, "64 hexadecimal digits"},
		"the same key":            {hub.Key{Name: "x", Key: "rel-first"}, "another key is the same"},
		"an environment alone":    {hub.Key{Name: "x", Key: "rel-x", Environments: []string{"production"}}, "project/environment"},
		"a path":                  {hub.Key{Name: "x", Key: "rel-x", Environments: []string{"a/b/c"}}, "project/environment"},
		"an empty project":        {hub.Key{Name: "x", Key: "rel-x", Projects: []string{""}}, "write *"},
		"an empty part":           {hub.Key{Name: "x", Key: "rel-x", Environments: []string{"web/"}}, "write *"},
		"a malformed project":     {hub.Key{Name: "x", Key: "rel-x", Projects: []string{"[a"}}, "malformed"},
		"a malformed relay name":  {hub.Key{Name: "x", Key: "rel-x", RelayNames: []string{"a["}}, "malformed"},
		"a malformed environment": {hub.Key{Name: "x", Key: "rel-x", Environments: []string{`web/\`}}, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hub.New()
			defer h.Close()
			first := hub.Key{Name: "first", Key: "rel-first"}
			require.NoError(t, h.SetKeys([]hub.Key{first}))
			err := h.SetKeys([]hub.Key{{Name: "first", Key: "rel-first", Projects: []string{"x"}}, test.key})
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "rel-")
			grant, err := h.Authenticate("rel-first")
			require.NoError(t, err)
			select {
			case <-grant.Revoked():
				t.Fatal("the key was revoked")
			default:
			}
		})
	}
}

func TestSelections(t *testing.T) {
	for name, test := range map[string]struct {
		key  hub.Key
		want string
	}{
		"everything":         {hub.Key{}, "put api.prod@1 web.prod@1 web.test@1 api.f@1 web.f@1"},
		"a project":          {hub.Key{Projects: []string{"web"}}, "put web.prod@1 web.test@1 web.f@1"},
		"projects":           {hub.Key{Projects: []string{"w*", "a?i"}}, "put api.prod@1 web.prod@1 web.test@1 api.f@1 web.f@1"},
		"an environment":     {hub.Key{Environments: []string{"web/prod"}}, "put web.prod@1 web.f@1"},
		"environments":       {hub.Key{Environments: []string{"*/prod"}}, "put api.prod@1 web.prod@1 api.f@1 web.f@1"},
		"both":               {hub.Key{Projects: []string{"api"}, Environments: []string{"web/t*"}}, "put api.prod@1 web.test@1 api.f@1 web.f@1"},
		"nothing there":      {hub.Key{Projects: []string{"other"}}, "put"},
		"a star is no slash": {hub.Key{Environments: []string{"*/x"}}, "put api.f@1 web.f@1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, changes{envIn("web", "prod", "web.prod", 1), envIn("web", "test", "web.test", 1),
				envIn("api", "prod", "api.prod", 1), filterChange("web", "f", 1), filterChange("api", "f", 1)})
			test.key.Name, test.key.Key = "view", "rel-view"
			require.NoError(t, s.SetKeys([]hub.Key{test.key}))
			assert.Equal(t, test.want, short(t, s.open(t, request{key: "rel-view", filters: true}).next()))
		})
	}
}

func TestAKeyByItsHash(t *testing.T) {
	s := newServer(t, changes{env("a", 1)})
	sum := sha256.Sum256([]byte("rel-hashed"))
	require.NoError(t, s.SetKeys([]hub.Key{{Name: "hashed", SHA256: strings.ToUpper(hex.EncodeToString(sum[:])), RelayNames: []string{"eu-*"}}}))
	assert.Equal(t, "put a@1", short(t, s.open(t, request{key: "rel-hashed"}).next()))
	response, text := s.refused(t, request{})
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.NotContains(t, text, "rel-")
	grant, err := s.Authenticate("rel-hashed")
	require.NoError(t, err)
	assert.Equal(t, "hashed", grant.Name())
	assert.True(t, grant.AllowsRelayName("eu-1"))
	assert.False(t, grant.AllowsRelayName("us-1"))
}

// TestWhatSetKeysCloses also says that nothing more goes to a relay whose stream it closes.
func TestWhatSetKeysCloses(t *testing.T) {
	before := hub.Key{Name: "x", Key: "rel-x", Projects: []string{"web"}}
	until, view, name := before, before, before
	until.Until = time.Now().Add(time.Hour)
	view.Projects = []string{"web", "api"}
	name.Name = "y"
	for title, test := range map[string]struct {
		after  []hub.Key
		closed bool
	}{
		"the same":        {[]hub.Key{before}, false},
		"a time":          {[]hub.Key{until}, false},
		"another as well": {[]hub.Key{{Name: "y", Key: "rel-y"}, before}, false},
		"gone":            {[]hub.Key{{Name: "y", Key: "rel-y"}}, true},
		"no keys":         {nil, true},
		"another view":    {[]hub.Key{view}, true},
		"another name":    {[]hub.Key{name}, true},
	} {
		t.Run(title, func(t *testing.T) {
			s := newServer(t, changes{env("a", 1)})
			require.NoError(t, s.SetKeys([]hub.Key{before}))
			grant, err := s.Authenticate("rel-x")
			require.NoError(t, err)
			relay := s.open(t, request{key: "rel-x"})
			relay.next()
			require.NoError(t, s.SetKeys(test.after))
			s.Changes(false, changes{env("a", 2)})
			if !test.closed {
				assert.Equal(t, "patch a@2", short(t, relay.next()))
				return
			}
			select {
			case <-grant.Revoked():
			default:
				t.Fatal("the key was not revoked")
			}
			assert.Error(t, relay.ended())
			assert.Equal(t, uint64(1), s.Status().Counters.Revoked)
		})
	}
}

// TestARevokedKeyGetsNothingMore revokes a key while a put is on its way to a relay that does not read.
func TestARevokedKeyGetsNothingMore(t *testing.T) {
	const size = 2 << 20
	s := newServer(t, largeConfiguration(size), hub.WithWriteTimeout(time.Hour))
	conn := s.dialSmall(t, "")
	defer conn.Close()
	_, err := io.ReadFull(conn, make([]byte, 1<<10))
	require.NoError(t, err)
	revoked := make(chan error, 1)
	go func() { revoked <- s.SetKeys([]hub.Key{{Name: "other", Key: "rel-other"}}) }()
	eventually(t, func() bool { return len(revoked) == 1 })
	require.NoError(t, <-revoked)
	written := s.Status().Counters.Bytes
	s.Changes(false, changes{env("later", 1)})

	body, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(body), int(written)+64<<10, "but for a write that was cut off, and for headers")
	assert.Less(t, len(body), size)
	assert.Equal(t, written, s.Status().Counters.Bytes)
}

func TestAKeyIsFoundByItsNameWhileItCounts(t *testing.T) {
	h := hub.New()
	t.Cleanup(h.Close)
	assert.Nil(t, h.GrantNamed("a"))
	require.NoError(t, h.SetKeys([]hub.Key{
		{Name: "over", Key: "rel-0", Until: time.Now().Add(-time.Second)},
		{Name: "a", Key: "rel-1"},
		{Name: "a", Key: "rel-2", Until: time.Now().Add(time.Hour)},
	}))
	first, err := h.Authenticate("rel-1")
	require.NoError(t, err)
	assert.Same(t, first, h.GrantNamed("a"), "the first of that name")
	assert.Nil(t, h.GrantNamed("over"))
	assert.Nil(t, h.GrantNamed("b"))
}
