package autoconfig

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// FuzzState: whatever comes in whatever order, the changes that the state yields are legal, add up to what it says it
// knows, and don't come a second time.
func FuzzState(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x02\x01\x05\x10\x02\x01\x20\x01\x01\x06\x03\x02\x01\x07\x04\x20\x02\x01\x09\x55\x03\x01\x01"))
	f.Add([]byte("\x02\x01\x09\x00\x01\x01\x02\x01\x05\x02\x02\x00\x05\x31\x41\x59\x04\xff\x00\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		w := &stateWatch{t: t, state: newState(), now: epoch, known: map[config.EnvironmentID]envfactory.EnvironmentParams{},
			filters: map[config.FilterID]bool{}}
		for in := (script{input[:min(len(input), 300)]}); len(in.rest) > 0; {
			if in.next(5) == 4 {
				w.now = w.now.Add(time.Duration(in.next(90)) * time.Second)
				w.expire()
				continue
			}
			m := in.message(w.now)
			second := again(m)
			w.apply(m)
			for _, c := range w.apply(second) {
				require.Equal(t, receivedAll, c.kind, "there is nothing new in it the second time")
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

func (s *script) message(now time.Time) message {
	switch s.next(4) {
	case 0:
		m := putMessage{&putList[config.EnvironmentID, environment]{}, &putList[config.FilterID, envfactory.FilterRep]{}}
		for range s.next(5) {
			id := s.id()
			if !slices.ContainsFunc(m.environments.items, func(l listed[config.EnvironmentID, environment]) bool { return l.id == id }) {
				m.environments.add(id, s.environment(id, now), nil)
			}
		}
		if s.next(2) == 1 {
			m.filters.add("f", s.filter(), nil)
		}
		return m
	case 1:
		id := s.id()
		return patchMessage{id: id, fresh: s.environment(id, now)}
	case 2:
		return deleteMessage{target: target{targetKind(s.next(2)), string(s.id())}, version: s.next(8)}
	default:
		return filterPatchMessage{id: config.FilterID(s.id()), fresh: s.filter()}
	}
}

func (s *script) filter() *item[envfactory.FilterRep] {
	version := s.next(8)
	return &item[envfactory.FilterRep]{version: version, value: envfactory.FilterRep{Version: version}}
}

// again is a copy of a message that was not applied yet: the state keeps parts of those that were.
func again(m message) message {
	switch m := m.(type) {
	case putMessage:
		return putMessage{m.environments.again(), m.filters.again()}
	case patchMessage:
		fresh := *m.fresh
		return patchMessage{m.id, &fresh}
	case filterPatchMessage:
		fresh := *m.fresh
		return filterPatchMessage{m.id, &fresh}
	}
	return m
}

func (l *putList[ID, V]) again() *putList[ID, V] {
	second := &putList[ID, V]{}
	for _, entry := range l.items {
		fresh := *entry.fresh
		fresh.next = nil
		second.add(entry.id, &fresh, nil)
	}
	return second
}

func (s *script) id() config.EnvironmentID {
	return config.EnvironmentID(fmt.Sprintf("%c", 'e'+rune(s.next(4))))
}

// environment is one whose keys are mostly fine.
func (s *script) environment(id config.EnvironmentID, now time.Time) *item[environment] {
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
	return itemOf(&rep)
}

// stateWatch is a relay that believes only the changes.
type stateWatch struct {
	t       *testing.T
	state   *state
	now     time.Time
	known   map[config.EnvironmentID]envfactory.EnvironmentParams
	filters map[config.FilterID]bool
}

func (w *stateWatch) apply(m message) []change {
	out := w.state.apply(m, w.now)
	_, isPut := m.(putMessage)
	for i, c := range out.changes {
		w.take(c)
		require.Equal(w.t, isPut && i == len(out.changes)-1, c.kind == receivedAll, "once for each put, at its end")
	}
	require.True(w.t, !isPut || len(out.changes) > 0)
	w.compare()
	return out.changes
}

func (w *stateWatch) take(c change) {
	switch c.kind {
	case addEnvironment:
		require.NotContains(w.t, w.known, c.env.value.id())
		w.known[c.env.value.id()] = c.env.value.rep(c.env.version).ToParams()
	case updateEnvironment:
		require.Contains(w.t, w.known, c.env.value.id())
		w.known[c.env.value.id()] = c.env.value.rep(c.env.version).ToParams()
	case deleteEnvironment:
		require.Contains(w.t, w.known, c.envID)
		delete(w.known, c.envID)
	case addFilter:
		require.False(w.t, w.filters[c.filter.ID])
		w.filters[c.filter.ID] = true
	case deleteFilter:
		require.True(w.t, w.filters[c.filter.ID])
		delete(w.filters, c.filter.ID)
	}
}

// expire takes out what is due. Each key must have been announced for a time that has just come.
func (w *stateWatch) expire() {
	for _, c := range w.state.expire(w.now) {
		require.Equal(w.t, keyExpired, c.kind)
		require.False(w.t, c.expiry.at.After(w.now))
		params, ok := w.known[c.expiry.env]
		require.True(w.t, ok, "the environment is there")
		before := len(params.AcceptedSDKKeys) + len(params.AcceptedMobileKeys)
		params.AcceptedSDKKeys = without(params.AcceptedSDKKeys, c.expiry.sdkKey, c.expiry.at)
		params.AcceptedMobileKeys = without(params.AcceptedMobileKeys, c.expiry.mobileKey, c.expiry.at)
		require.Equal(w.t, before-1, len(params.AcceptedSDKKeys)+len(params.AcceptedMobileKeys), "it was announced, and has not expired before")
		w.known[c.expiry.env] = params
	}
	w.compare()
}

func without[K config.SDKKey | config.MobileKey](keys []envfactory.AcceptedKey[K], value K, at time.Time) []envfactory.AcceptedKey[K] {
	return slices.DeleteFunc(slices.Clone(keys), func(k envfactory.AcceptedKey[K]) bool { return k.Value == value && k.Expiry.Equal(at) })
}

func (w *stateWatch) compare() {
	var ids []config.EnvironmentID
	next := time.Time{}
	for _, params := range w.state.params(w.now) {
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
	if at, ok := w.state.nextExpiry(); !ok || !at.Before(w.now) {
		require.Equal(w.t, !next.IsZero(), ok)
		require.True(w.t, at.Equal(next), "%s and not %s", at, next)
	}
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
