//go:build servers

package redisstore

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store"
)

func requireStored(t *testing.T, s *Store, want *autoconfig.Snapshot) {
	t.Helper()
	got, err := s.Load(t.Context())
	require.NoError(t, err)
	require.NotNil(t, got)
	require.Equal(t, want.Environments, got.Environments)
}

func TestAnOlderSnapshotDoesNotReplaceANewer(t *testing.T) {
	server := startServer(t).run(t)
	var reported []error
	late := newStore(t, server.url(), Options{Report: func(err error) { reported = append(reported, err) }})
	other := newStore(t, server.url(), Options{})
	require.NoError(t, other.Save(t.Context(), versions(2, 5)))

	require.NoError(t, late.Save(t.Context(), versions(2, 4, 1)), "to keep what is newer is no failure")
	require.Equal(t, []error{store.ErrOlder}, reported)
	requireStored(t, late, versions(2, 5))

	require.NoError(t, late.Save(t.Context(), versions(3, 5)))
	requireStored(t, other, versions(3, 5))
	require.Len(t, reported, 1)
}

func TestWhatCannotBeUsedIsSetAsideUnderAnotherKey(t *testing.T) {
	server := startServer(t).run(t)
	admin := server.client(t)
	const theKey = "{relayconf}:snapshot"
	set := func(value string) func(t *testing.T) {
		return func(t *testing.T) { require.NoError(t, admin.Set(t.Context(), theKey, value, 0).Err()) }
	}
	tests := []struct {
		name  string
		store func(t *testing.T)
		want  error
	}{
		{"empty", set(""), store.ErrTruncated},
		{"foreign", set("a letter to my aunt"), store.ErrForeign},
		{"another type", func(t *testing.T) { require.NoError(t, admin.HSet(t.Context(), theKey, "a", "b").Err()) }, store.ErrForeign},
		{"too large", set(string(make([]byte, 1<<16+1))), store.ErrTooLarge},
		{"another key", func(t *testing.T) {
			require.NoError(t, newStore(t, server.url(), Options{Key: otherKey}).Save(t.Context(), versions(9)))
		}, store.ErrWrongKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reported []error
			s := newStore(t, server.url(), Options{MaxSize: 1 << 16, Report: func(err error) { reported = append(reported, err) }})
			prepare := func() (dump string) {
				require.NoError(t, admin.FlushAll(t.Context()).Err())
				test.store(t)
				dump, err := admin.Dump(t.Context(), theKey).Result()
				require.NoError(t, err)
				return dump
			}
			requireAside := func(err error, dump string) {
				t.Helper()
				var unreadable *store.UnreadableError
				require.ErrorAs(t, err, &unreadable)
				require.ErrorIs(t, err, test.want)
				assert.NotContains(t, err.Error(), "rel-0000")
				got, err := admin.Dump(t.Context(), unreadable.SetAside).Result()
				require.NoError(t, err)
				assert.Equal(t, dump, got, "it is not destroyed")
			}

			dump := prepare()
			_, err := s.Peek(t.Context())
			require.ErrorIs(t, err, test.want)
			require.Equal(t, int64(1), admin.DBSize(t.Context()).Val(), "Peek only looks")
			snapshot, err := s.Load(t.Context())
			require.Nil(t, snapshot)
			requireAside(err, dump)
			snapshot, err = s.Load(t.Context())
			require.NoError(t, err)
			require.Nil(t, snapshot)

			dump = prepare()
			require.NoError(t, s.Save(t.Context(), versions(1)))
			require.Len(t, reported, 1)
			requireAside(reported[0], dump)
			requireStored(t, s, versions(1))
		})
	}
}

func TestTheLatestFewValuesSetAsideAreKept(t *testing.T) {
	server := startServer(t).run(t)
	admin, s := server.client(t), newStore(t, server.url(), Options{})
	for i := range kept + 2 {
		require.NoError(t, admin.Set(t.Context(), s.key, fmt.Sprint("damaged ", i), 0).Err())
		_, err := s.Load(t.Context())
		require.ErrorIs(t, err, store.ErrForeign)
	}
	var left []string
	for i := range kept {
		value, err := admin.Get(t.Context(), fmt.Sprintf("%s:damaged-%d", s.key, i+1)).Result()
		require.NoError(t, err)
		left = append(left, value)
	}
	assert.ElementsMatch(t, []string{"damaged 2", "damaged 3", "damaged 4", "damaged 5", "damaged 6"}, left)
	require.Equal(t, int64(kept+1), admin.DBSize(t.Context()).Val())
}

func TestAFleetCanRotateItsKey(t *testing.T) {
	server := startServer(t).run(t)
	former := newStore(t, server.url(), Options{Key: otherKey, OlderKeys: []config.AutoConfigKey{key}})
	rotated := newStore(t, server.url(), Options{Key: key, OlderKeys: []config.AutoConfigKey{otherKey}})
	require.NoError(t, former.Save(t.Context(), versions(1)))
	requireStored(t, rotated, versions(1))
	require.NoError(t, rotated.Save(t.Context(), versions(2)))
	requireStored(t, former, versions(2))
	requireStored(t, newStore(t, server.url(), Options{Key: key}), versions(2))

	former.SetKey(key)
	require.NoError(t, former.Save(t.Context(), versions(3)))
	requireStored(t, newStore(t, server.url(), Options{Key: key}), versions(3))
}

func TestPrefixesKeepFleetsApart(t *testing.T) {
	server := startServer(t).run(t)
	a, b := newStore(t, server.url(), Options{Prefix: "a"}), newStore(t, server.url()+"?prefix=b", Options{Prefix: "a"})
	require.NoError(t, a.Save(t.Context(), versions(1)))
	snapshot, err := b.Load(t.Context())
	require.NoError(t, err)
	require.Nil(t, snapshot)
	require.Equal(t, []string{"{a}:snapshot"}, server.client(t).Keys(t.Context(), "*").Val())
}

func TestNothingOfTheSnapshotIsReadableInRedis(t *testing.T) {
	server := startServer(t).run(t)
	s := newStore(t, server.url(), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	value := server.client(t).Get(t.Context(), s.key).Val()
	require.NotEmpty(t, value)
	assert.NotContains(t, value, "env0")
}
