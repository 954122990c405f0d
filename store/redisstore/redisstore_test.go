//go:build servers

package redisstore

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/redistest"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/sealed"
)

func requireStored(t *testing.T, s *Store, want *autoconfig.Snapshot) {
	t.Helper()
	got, err := s.Load(t.Context())
	require.NoError(t, err)
	require.NotNil(t, got)
	require.Equal(t, want.Environments, got.Environments)
}

func TestAnOlderSnapshotDoesNotReplaceANewer(t *testing.T) {
	server := redistest.Start(t)
	var reported []error
	late := newStore(t, server.URL(), Options{Report: func(err error) { reported = append(reported, err) }})
	other := newStore(t, server.URL(), Options{})
	require.NoError(t, other.Save(t.Context(), versions(2, 5)))

	require.NoError(t, late.Save(t.Context(), versions(2, 4, 1)), "to keep what is newer is no failure")
	require.Len(t, reported, 1)
	require.ErrorIs(t, reported[0], store.ErrOlder)
	require.ErrorContains(t, reported[0], late.String())
	requireStored(t, late, versions(2, 5))

	require.NoError(t, late.Save(t.Context(), versions(3, 5)))
	requireStored(t, other, versions(3, 5))
	require.Len(t, reported, 1)
}

func TestALoadLeavesAValueThatCannotBeUsedAndASaveSetsItAside(t *testing.T) {
	server := redistest.Start(t)
	admin := clientOf(t, server)
	const theKey = "{relayconf}:snapshot"
	set := func(value string) func(t *testing.T) {
		return func(t *testing.T) { require.NoError(t, admin.Set(t.Context(), theKey, value, 0).Err()) }
	}
	tests := []struct {
		name  string
		store func(t *testing.T)
		want  error
		aside string // empty if it is never touched
	}{
		{"empty", set(""), store.ErrTruncated, theKey + ":damaged-1"},
		{"too large", set(string(make([]byte, 1<<16+1))), store.ErrTooLarge, theKey + ":too-large-1"},
		{"another key", func(t *testing.T) {
			require.NoError(t, newStore(t, server.URL(), Options{Key: otherKey}).Save(t.Context(), versions(9)))
		}, store.ErrWrongKey, theKey + ":other-key-1"},
		{"foreign", set("a letter to my aunt"), store.ErrForeign, ""},
		{"foreign, of another type", func(t *testing.T) {
			require.NoError(t, admin.HSet(t.Context(), theKey, "a", "b").Err())
		}, store.ErrForeign, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.NoError(t, admin.FlushAll(t.Context()).Err())
			test.store(t)
			dump := admin.Dump(t.Context(), theKey).Val()
			var reported []error
			s := newStore(t, server.URL(), Options{MaxSize: 1 << 16, Report: func(err error) { reported = append(reported, err) }})
			requireUnreadable := func(err error) *store.UnreadableError {
				t.Helper()
				var unreadable *store.UnreadableError
				require.ErrorAs(t, err, &unreadable)
				require.ErrorIs(t, err, test.want)
				assert.Contains(t, err.Error(), s.String())
				assert.NotContains(t, err.Error(), "rel-0000")
				return unreadable
			}
			requireUntouched := func() {
				t.Helper()
				require.Equal(t, []string{theKey}, admin.Keys(t.Context(), "*").Val())
				require.Equal(t, dump, admin.Dump(t.Context(), theKey).Val())
			}
			for range 2 {
				snapshot, err := s.Load(t.Context())
				require.Nil(t, snapshot)
				assert.Empty(t, requireUnreadable(err).SetAside)
				requireUntouched()
			}
			err := s.Save(t.Context(), versions(1))
			if test.aside == "" {
				requireUnreadable(err)
				requireUntouched()
				require.Empty(t, reported)
				return
			}
			require.NoError(t, err)
			require.NoError(t, s.Save(t.Context(), versions(2)))
			requireStored(t, s, versions(2))
			require.Len(t, reported, 1, "it is set aside once")
			assert.Equal(t, test.aside, requireUnreadable(reported[0]).SetAside)
			assert.Equal(t, dump, admin.Dump(t.Context(), test.aside).Val(), "it is not destroyed")
		})
	}
}

func TestTheLatestFewValuesSetAsideAreKept(t *testing.T) {
	server := redistest.Start(t)
	admin, s := clientOf(t, server), newStore(t, server.URL(), Options{})
	other, err := sealed.NewBox(otherKey, nil, 0)
	require.NoError(t, err)
	var want []string
	for i := range kept + 2 {
		data, err := other.Seal(versions(i + 1))
		require.NoError(t, err)
		want = append(want, string(data))
		require.NoError(t, admin.Set(t.Context(), s.key, data, 0).Err())
		require.NoError(t, s.Save(t.Context(), versions(1)))
	}
	var left []string
	for i := range kept {
		left = append(left, admin.Get(t.Context(), fmt.Sprintf("%s:other-key-%d", s.key, i+1)).Val())
	}
	assert.ElementsMatch(t, want[2:], left)
	require.Equal(t, int64(kept+2), admin.DBSize(t.Context()).Val(), "those, the snapshot, and a counter")
}

func TestAFleetCanRotateItsKey(t *testing.T) {
	server := redistest.Start(t)
	former := newStore(t, server.URL(), Options{Key: otherKey, OlderKeys: []config.AutoConfigKey{key}})
	rotated := newStore(t, server.URL(), Options{Key: key, OlderKeys: []config.AutoConfigKey{otherKey}})
	require.NoError(t, former.Save(t.Context(), versions(1)))
	requireStored(t, rotated, versions(1))
	require.NoError(t, rotated.Save(t.Context(), versions(2)))
	requireStored(t, former, versions(2))
	requireStored(t, newStore(t, server.URL(), Options{Key: key}), versions(2))

	former.SetKey(key)
	require.NoError(t, former.Save(t.Context(), versions(3)))
	requireStored(t, newStore(t, server.URL(), Options{Key: key}), versions(3))
}

func TestPrefixesKeepFleetsApart(t *testing.T) {
	server := redistest.Start(t)
	a, b := newStore(t, server.URL(), Options{Prefix: "a"}), newStore(t, server.URL()+"?prefix=b", Options{Prefix: "a"})
	require.NoError(t, a.Save(t.Context(), versions(1)))
	snapshot, err := b.Load(t.Context())
	require.NoError(t, err)
	require.Nil(t, snapshot)
	require.Equal(t, []string{"{a}:snapshot"}, clientOf(t, server).Keys(t.Context(), "*").Val())
}

func TestNothingOfTheSnapshotIsReadableInRedis(t *testing.T) {
	server := redistest.Start(t)
	s := newStore(t, server.URL(), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	value := clientOf(t, server).Get(t.Context(), s.key).Val()
	require.NotEmpty(t, value)
	assert.NotContains(t, value, "env0")
}
