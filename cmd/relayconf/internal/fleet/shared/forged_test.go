//go:build servers

package shared

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

func TestWhoeverCanWriteToRedisCanNotMakeARelayAppear(t *testing.T) {
	server := startServer(t)
	one, two := startHub(t, server.url(), "hub-1"), startHub(t, server.url(), "hub-2")
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	thief, at := server.client(t), one.where()
	other := testSecret(t, "rel-of-the-thief")
	real, err := thief.HGet(t.Context(), at.hubs(), two.instance).Result()
	require.NoError(t, err)
	forged := func(k kind, place string, record any) string {
		data, err := other.seal(k, place, record)
		require.NoError(t, err)
		return string(data)
	}
	for name, write := range map[string]func(ctx context.Context) error{
		"a hub with another key": func(ctx context.Context) error {
			return thief.HSet(ctx, at.hubs(), "EVIL", forged(kindHeartbeat, "EVIL", beat("evil", 1, 1, 0))).Err()
		},
		"a hub's heartbeat as that of another": func(ctx context.Context) error {
			return thief.HSet(ctx, at.hubs(), "COPY", real).Err()
		},
		"nonsense":           func(ctx context.Context) error { return thief.HSet(ctx, at.hubs(), "X", "nonsense").Err() },
		"a heartbeat of old": func(ctx context.Context) error { return thief.HSet(ctx, at.hubs(), two.instance, real).Err() },
		"a name": func(ctx context.Context) error {
			pipe := thief.Pipeline()
			pipe.HSet(ctx, at.names(), "evil", forged(kindName, "evil", fleet.Name{Key: "hub", Epoch: 1 << 60}))
			pipe.Set(ctx, at.namesMark(), "forged", 0)
			_, err := pipe.Exec(ctx)
			return err
		},
	} {
		before := one.Stats().Ignored
		one.eventually(name, func() bool {
			require.NoError(t, write(t.Context())) // again, as the hub that is written over writes, too
			return one.Stats().Ignored > before
		})
		require.NoError(t, thief.HDel(t.Context(), at.hubs(), "EVIL", "COPY", "X").Err())
	}
	require.NoError(t, thief.HDel(t.Context(), at.names(), "evil").Err())
	one.shows("b", two)
	assert.Len(t, one.Overview().Hubs, 2)
	assert.Empty(t, one.find("evil").Name)
	assert.Equal(t, 1, strings.Count(one.log.String(), "is ignored"), "one line: %s", one.log)
}

// A dead hub's records can be written again and again. They don't answer.
func TestReplayedRecordsDoNotKeepADeadHubAlive(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	one, two := startHub(t, server.url(), "hub-1", missedSoon), startHub(t, "redis://"+toRedis.addr(), "hub-2", missedSoon)
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	thief, at := server.client(t), one.where()
	heartbeat, err := thief.HGet(t.Context(), at.hubs(), two.instance).Result()
	require.NoError(t, err)
	parts, err := thief.HGetAll(t.Context(), at.roster(two.instance)).Result()
	require.NoError(t, err)
	toRedis.cut()
	replay := func() bool {
		pipe := thief.Pipeline()
		pipe.HSet(t.Context(), at.hubs(), two.instance, heartbeat)
		pipe.HSet(t.Context(), at.roster(two.instance), parts)
		_, err := pipe.Exec(t.Context())
		require.NoError(t, err)
		return true
	}
	one.eventually("it is missed", func() bool {
		return replay() && strings.Contains(one.Overview().Incomplete, "hub-2 has not been heard of")
	})
	three := startHub(t, server.url(), "hub-3", missedSoon) // has no memory of it
	three.eventually("it is missed", func() bool {
		require.False(t, three.find("b").Connected)
		return replay() && strings.Contains(three.Overview().Incomplete, "hub-2 has not been heard of")
	})
}
