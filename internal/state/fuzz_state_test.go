package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// FuzzState: whatever comes in whatever order, the changes that the state yields are legal, add up to what it says it
// knows, and don't come a second time.
func FuzzState(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x02\x01\x05\x10\x02\x01\x20\x01\x01\x06\x03\x02\x01\x07\x04\x20\x02\x01\x09\x55\x03\x01\x01"))
	f.Add([]byte("\x02\x01\x09\x00\x01\x01\x02\x01\x05\x02\x02\x00\x05\x31\x41\x59\x04\xff\x00\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		w := &stateWatch{t: t, state: New(), now: epoch, known: map[config.EnvironmentID]envfactory.EnvironmentParams{},
			filters: map[config.FilterID]bool{}}
		for in := (script{input[:min(len(input), 300)]}); len(in.rest) > 0; {
			if in.next(5) == 4 {
				w.now = w.now.Add(time.Duration(in.next(90)) * time.Second)
				w.expire()
				continue
			}
			m := in.message(t, w.now)
			w.apply(m)
			for _, c := range w.apply(m) {
				again := []ChangeKind{AllReceived, EnvironmentRewritten, FilterRewritten}
				require.Contains(t, again, c.Kind, "there is nothing new for a relay in it the second time")
			}
		}
	})
}

// script makes messages of the fuzzer's bytes.
type script struct{ rest []byte }

// next is a number below n; 0 at the end.
func (s *script) next(n int) int {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b) % n
}

func (s *script) message(t *testing.T, now time.Time) wire.Message {
	switch s.next(4) {
	case 0:
		m := &wire.Put{}
		for range s.next(5) {
			id := s.id()
			m.Environments.Add(wire.Entry{Item: s.environment(t, id, now)})
		}
		if s.next(2) == 1 {
			m.Filters.Add(wire.Entry{Item: s.filter(t, "f")})
		}
		return m
	case 1:
		return &wire.Patch{Kind: wire.Environment, Item: s.environment(t, s.id(), now)}
	case 2:
		return &wire.Delete{Kind: wire.Kind(s.next(2)), ID: string(s.id()), Version: s.next(8)}
	default:
		return &wire.Patch{Kind: wire.Filter, Item: s.filter(t, string(s.id()))}
	}
}

func (s *script) filter(t *testing.T, id string) wire.Item {
	item, err := wire.FilterItem(id, filter(id, s.next(8)))
	require.NoError(t, err)
	return item
}

func (s *script) id() config.EnvironmentID {
	return config.EnvironmentID(fmt.Sprintf("%c", 'e'+rune(s.next(4))))
}

// environment is one whose keys are mostly fine.
func (s *script) environment(t *testing.T, id config.EnvironmentID, now time.Time) wire.Item {
	shape := s.next(256)
	rep := envfactory.EnvironmentRep{
		EnvID: id, Version: s.next(8), MobKey: "mob",
		SDKKey: envfactory.SDKKeyRep{Value: config.SDKKey(fmt.Sprintf("sdk-%d", shape&1))},
	}
	expiry := func() ldtime.UnixMillisecondTime {
		return ldtime.UnixMillisFromTime(now.Add(time.Duration(s.next(256)-64) * time.Second))
	}
	if shape&2 != 0 {
		rep.SDKKey.Expiring = envfactory.ExpiringKeyRep{Value: config.SDKKey(fmt.Sprintf("sdk-%d", s.next(3))), Timestamp: expiry()}
	}
	if shape&12 == 12 {
		at := expiry()
		rep.SDKKeys = []envfactory.ConcurrentKeyRep{{Value: "sdk-0"}, {Value: "sdk-1", Expiry: &at}, {Value: "sdk-2", Expiry: &at}}
	}
	if shape&48 == 48 {
		at := expiry()
		rep.MobileKeys = []envfactory.ConcurrentKeyRep{{Value: "mob"}, {Value: "sdk-0", Expiry: &at}}
	}
	if shape >= 250 {
		rep.SDKKey.Value = ""
	}
	if shape == 249 {
		rep.EnvID = "another"
	}
	text, err := json.Marshal(rep)
	require.NoError(t, err)
	item, err := wire.EnvironmentItem(string(id), string(text))
	require.NoError(t, err)
	return item
}

// stateWatch is a relay that believes only the changes.
type stateWatch struct {
	t       *testing.T
	state   *State
	now     time.Time
	known   map[config.EnvironmentID]envfactory.EnvironmentParams
	filters map[config.FilterID]bool
}

func (w *stateWatch) apply(m wire.Message) []Change {
	out := w.state.Apply(m, w.now)
	_, isPut := m.(*wire.Put)
	for i, c := range out.Changes {
		w.take(c)
		require.Equal(w.t, isPut && i == len(out.Changes)-1, c.Kind == AllReceived, "once for each put, at its end")
	}
	require.True(w.t, !isPut || len(out.Changes) > 0)
	w.compare()
	return out.Changes
}

func (w *stateWatch) take(c Change) {
	id := config.EnvironmentID(c.ID)
	known := c.Old != ""
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated:
		require.Equal(w.t, c.Kind == EnvironmentUpdated, known)
		rep, err := wire.DecodeEnvironment(c.Text())
		require.NoError(w.t, err)
		require.Equal(w.t, known, w.has(id))
		w.known[id] = rep.ToParams()
	case EnvironmentDeleted, EnvironmentRemoved:
		require.Equal(w.t, known, w.has(id))
		require.True(w.t, known || c.Kind == EnvironmentDeleted)
		delete(w.known, id)
	case FilterAdded:
		require.False(w.t, w.filters[config.FilterID(c.ID)])
		w.filters[config.FilterID(c.ID)] = true
	case FilterDeleted, FilterRemoved:
		require.Equal(w.t, known, w.filters[config.FilterID(c.ID)])
		delete(w.filters, config.FilterID(c.ID))
	}
}

func (w *stateWatch) has(id config.EnvironmentID) bool {
	_, ok := w.known[id]
	return ok
}

// expire takes out what is due. Each key must have been announced for a time that has just come.
func (w *stateWatch) expire() {
	for _, c := range w.state.Expire(w.now) {
		require.Equal(w.t, KeyExpired, c.Kind)
		require.False(w.t, c.Key.at.After(w.now))
		params, ok := w.known[c.Key.Environment]
		require.True(w.t, ok, "the environment is there")
		before := len(params.AcceptedSDKKeys) + len(params.AcceptedMobileKeys)
		params.AcceptedSDKKeys = without(params.AcceptedSDKKeys, c.Key.SDKKey, c.Key.at)
		params.AcceptedMobileKeys = without(params.AcceptedMobileKeys, c.Key.MobileKey, c.Key.at)
		require.Equal(w.t, before-1, len(params.AcceptedSDKKeys)+len(params.AcceptedMobileKeys), "it was announced, and has not expired before")
		w.known[c.Key.Environment] = params
	}
	w.compare()
}

func without[K config.SDKKey | config.MobileKey](keys []envfactory.AcceptedKey[K], value K, at time.Time) []envfactory.AcceptedKey[K] {
	return slices.DeleteFunc(slices.Clone(keys), func(k envfactory.AcceptedKey[K]) bool { return k.Value == value && k.Expiry.Equal(at) })
}

func (w *stateWatch) compare() {
	var ids []config.EnvironmentID
	next := time.Time{}
	for _, params := range w.state.Params(w.now) {
		ids = append(ids, params.EnvID)
		known := w.known[params.EnvID].At(w.now)
		require.Equal(w.t, fmt.Sprint(known.AcceptedSDKKeys, known.AcceptedMobileKeys), fmt.Sprint(params.AcceptedSDKKeys, params.AcceptedMobileKeys))
		for _, at := range expiries(params) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
		}
	}
	require.Equal(w.t, slices.Sorted(maps.Keys(w.known)), ids)
	require.Len(w.t, ids, w.state.Environments())
	w.compareDigest()
	if at, ok := w.state.NextExpiry(); !ok || !at.Before(w.now) {
		require.Equal(w.t, !next.IsZero(), ok)
		require.True(w.t, at.Equal(next), "%s and not %s", at, next)
	}
}

// compareDigest compares the digest, which is kept up to date change by change, with one that is computed anew.
func (w *stateWatch) compareDigest() {
	var want digest.Digest
	for kind, of := range map[wire.Kind]digest.Kind{wire.Environment: digest.Environment, wire.Filter: digest.Filter} {
		for known := range w.state.All(kind) {
			if known.Text != "" {
				want.Add(of, known.ID, known.Version)
			}
		}
	}
	require.Equal(w.t, want, w.state.Digest())
}

func expiries(params envfactory.EnvironmentParams) (all []time.Time) {
	for _, k := range params.AcceptedSDKKeys {
		if !k.Expiry.IsZero() {
			all = append(all, k.Expiry)
		}
	}
	for _, k := range params.AcceptedMobileKeys {
		if !k.Expiry.IsZero() {
			all = append(all, k.Expiry)
		}
	}
	return all
}
