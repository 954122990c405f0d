package hub

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/relayconf/relayconf/config"
)

// Key is a key that relays may present, and the projects and environments that it lets them see.
type Key struct {
	// Name is the key's name in Relays, Status and logs. It is required, is no secret, and need not be unique.
	Name string

	// Key is the key itself, or SHA256 is its SHA-256 as 64 hexadecimal digits. One of them is required.
	Key    config.AutoConfigKey
	SHA256 string

	// Projects and Environments select the key's view. An environment is in it if the key of its project matches one of
	// Projects, or if "project/environment" matches one of Environments; a filter, if an environment of its project may
	// be. The patterns are those of path.Match. If both are empty, all is in the view.
	Projects     []string
	Environments []string

	// RelayNames are patterns of the names that relays of the fleet may take with this key. Any, if it is empty.
	RelayNames []string

	// Until is when the key ceases to count, such as a former one. The zero time: never.
	Until time.Time
}

// SetKeys replaces the keys. Streams of a key that is gone, or that differs in anything but Until, get no byte of
// configuration from the moment that SetKeys returns, and end; relays whose key still counts come back and resume. An error says which key is wrong; then nothing has changed. Before the first call all relays get status 503.
func (h *Hub) SetKeys(keys []Key) error {
	fresh := make([]*Grant, 0, len(keys))
	for i, key := range keys {
		grant, err := newGrant(h, key)
		if err != nil {
			return fmt.Errorf("key %d (%q): %w", i+1, key.Name, err)
		}
		if slices.ContainsFunc(fresh, func(g *Grant) bool { return g.hash == grant.hash }) {
			return fmt.Errorf("key %d (%q): another key is the same", i+1, key.Name)
		}
		fresh = append(fresh, grant)
	}
	h.end(h.replaceGrants(fresh, time.Now()))
	return nil
}

// Grant is a key that was accepted, and the projects and environments that it lets a relay see.
type Grant struct {
	hub        *Hub
	name       string
	hash       [sha256.Size]byte
	selection  selection
	relayNames []string
	until      time.Time // guarded by Hub.mu, as SetKeys may change it
	revoked    chan struct{}
}

func newGrant(h *Hub, key Key) (*Grant, error) {
	g := &Grant{hub: h, name: key.Name, relayNames: key.RelayNames, until: key.Until, revoked: make(chan struct{})}
	switch {
	case key.Name == "":
		return nil, errors.New("it has no name")
	case key.Key == "" && key.SHA256 == "":
		return nil, errors.New("it has neither the key nor its SHA-256")
	case key.Key != "" && key.SHA256 != "":
		return nil, errors.New("it has both the key and its SHA-256; give one of them")
	case key.Key != "":
		g.hash = sha256.Sum256([]byte(key.Key))
	default:
		n, err := hex.Decode(g.hash[:], []byte(key.SHA256[:min(len(key.SHA256), 2*sha256.Size)]))
		if err != nil || n != sha256.Size || len(key.SHA256) != 2*sha256.Size {
			return nil, errors.New("its SHA-256 is not 64 hexadecimal digits")
		}
	}
	if err := checkPatterns("relay name", key.RelayNames); err != nil {
		return nil, err
	}
	var err error
	g.selection, err = newSelection(key.Projects, key.Environments)
	return g, err
}

// sameAs tells whether streams of g may go on under other.
func (g *Grant) sameAs(other *Grant) bool {
	return g.hash == other.hash && g.name == other.name && g.selection.id == other.selection.id &&
		slices.Equal(g.relayNames, other.relayNames)
}

// replaceGrants returns the relays whose key no longer counts.
func (h *Hub) replaceGrants(fresh []*Grant, now time.Time) (revoked []*relay) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, grant := range fresh {
		if at := slices.IndexFunc(h.grants, grant.sameAs); at >= 0 {
			h.grants[at].until = grant.until
			fresh[i] = h.grants[at]
		}
	}
	before := h.grants
	h.grants, h.keysSet = fresh, true
	revoked = h.revoke(before)
	h.prepareViews()
	return append(revoked, h.expireGrants(now)...)
}

// expireGrants drops the grants whose time is over, and sets the timer for the next one. It returns their relays.
func (h *Hub) expireGrants(now time.Time) []*relay {
	if h.expiry != nil {
		h.expiry.Stop()
		h.expiry = nil
	}
	before := h.grants
	h.grants = slices.DeleteFunc(slices.Clone(before), func(g *Grant) bool { return g.expired(now) })
	var next time.Time
	for _, g := range h.grants {
		if !g.until.IsZero() && (next.IsZero() || g.until.Before(next)) {
			next = g.until
		}
	}
	if !next.IsZero() && !h.closed {
		// A wall clock that jumps is noticed within a minute.
		h.expiry = time.AfterFunc(max(time.Millisecond, min(time.Minute, next.Sub(now))), func() {
			h.mu.Lock()
			revoked := h.expireGrants(time.Now())
			h.mu.Unlock()
			h.end(revoked)
		})
	}
	return h.revoke(before)
}

func (g *Grant) expired(now time.Time) bool { return !g.until.IsZero() && !now.Before(g.until) }

// revoke closes the grants that are no longer among those of the hub, and drops views that no grant has. It returns the
// relays to end.
func (h *Hub) revoke(before []*Grant) (relays []*relay) {
	for _, g := range before {
		if !slices.Contains(h.grants, g) {
			close(g.revoked)
		}
	}
	for r := range h.relays {
		if !slices.Contains(h.grants, r.grant) {
			r.stop(endRevoked)
			relays = append(relays, r)
		}
	}
	for id := range h.views {
		if !slices.ContainsFunc(h.grants, func(g *Grant) bool { return g.selection.id == id.selection }) {
			delete(h.views, id)
		}
	}
	clear(h.viewers)
	return relays
}

// Why Authenticate refuses a key.
var (
	// ErrUnknownKey: no relay may present this key. Answer with status 401, which is final for relays.
	ErrUnknownKey = errors.New("the key is not known to this hub")
	// ErrKeyNotYetKnown: the key is unknown, and may be so new that it has yet to reach this hub: see
	// WithUnknownKeyGrace. Answer with status 503, which relays retry.
	ErrKeyNotYetKnown = errors.New("the key is not known to this hub, perhaps not yet")
)

// Authenticate looks up a key that a relay presents, in the Authorization header, without a scheme. The error is
// ErrUnknownKey or ErrKeyNotYetKnown.
func (h *Hub) Authenticate(key config.AutoConfigKey) (*Grant, error) {
	hash := sha256.Sum256([]byte(key))
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	var found *Grant
	for _, g := range h.grants { // all of them, so that the time does not depend on the key
		if subtle.ConstantTimeCompare(g.hash[:], hash[:]) == 1 && !g.expired(now) {
			found = g
		}
	}
	switch {
	case found != nil:
		return found, nil
	case !h.keysSet, key != "" && h.unknown.withinGrace(hash, now, h.settings.unknownKeyGrace):
		return nil, ErrKeyNotYetKnown
	default:
		return nil, ErrUnknownKey
	}
}

// GrantNamed returns the key that has this name, or nil if there is none. Of several, it is the first one that was given to
// SetKeys.
func (h *Hub) GrantNamed(name string) *Grant {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.grants {
		if g.name == name && !g.expired(now) {
			return g
		}
	}
	return nil
}

// Name returns the name of the key.
func (g *Grant) Name() string { return g.name }

// AllowsRelayName tells whether a relay of the fleet may take a name with this key.
func (g *Grant) AllowsRelayName(name string) bool {
	return len(g.relayNames) == 0 || matchesAny(g.relayNames, name)
}

// Revoked is closed when the key ceases to count. Whoever serves something by it must stop.
func (g *Grant) Revoked() <-chan struct{} { return g.revoked }

// View is the state that relays with a certain key and protocol version are to have.
type View struct {
	Digest  string          // as the ids of events are, and as autoconfig computes it
	Since   time.Time       // when the view came to this
	Changed <-chan struct{} // closed when the view has changed
}

// View returns the view of the key. Protocol version 2 has filters, 1 has none.
func (g *Grant) View(protocolVersion int) View {
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	v := g.hub.view(g.selection, protocolVersion)
	return View{Digest: v.digest.String(), Since: v.since, Changed: v.changed}
}

// Versions are the versions of all items of a view at one moment.
type Versions struct {
	Digest       string         // of these versions
	Environments map[string]int // by environment id
	Filters      map[string]int // by filter id; empty for protocol version 1
}

// Versions returns the versions of all that is in the view of the key. It looks at every item of the hub.
func (g *Grant) Versions(protocolVersion int) Versions {
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	v := g.hub.view(g.selection, protocolVersion)
	versions := Versions{Digest: v.digest.String(), Environments: map[string]int{}, Filters: map[string]int{}}
	for _, it := range g.hub.state.items {
		switch {
		case !v.shows(it):
		case it.kind == environment:
			versions.Environments[it.id] = it.version
		default:
			versions.Filters[it.id] = it.version
		}
	}
	return versions
}
