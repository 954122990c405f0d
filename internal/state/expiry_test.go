package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/relayconf/relayconf/internal/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRule09KeysExpireOnceWhenTheirTimeComes(t *testing.T) {
	playAll(t, []rule{
		{"a time ahead", []event{
			{wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 10))), "add a expiring old at 10; all", 0},
			{"tick", "", "", 9}, {"tick", "", "expired a old", 10}, {"tick", "", "", 20},
			{wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 10))), "all", 30}, {"tick", "", "", 40},
		}},
		{"a time in the past", []event{
			{wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 10))), "add a; all", 10}, {"tick", "", "", 20},
		}},
		{"lists of keys", []event{
			{wire.PatchEvent, patchEnv("a", 1,
				fmt.Sprintf(`"sdkKeys":[{"value":"k2","expiry":%d},{"value":"sdk-a","expiry":%d},{"value":"k1","expiry":%d},{"value":"k0","expiry":%d}]`,
					millisecond(20), millisecond(5), millisecond(10), millisecond(-1)),
				fmt.Sprintf(`"mobileKeys":[{"value":"m1","expiry":%d},{"value":"mob-a"}]`, millisecond(15))), "add a expiring k1 at 10", 0},
			{"tick", "", "expired a k1", 10}, {"tick", "", "expired a m1; expired a k2", 100},
		}},
		{"several at one moment come in a fixed order", []event{
			{wire.PutEvent, put(listedEnv("b", 1, expiring("b", "old", 10)), listedEnv("a", 1, expiring("a", "old", 10))), "add b expiring old at 10; add a expiring old at 10; all", 0},
			{"tick", "", "expired a old; expired b old", 10},
		}},
	})
}

func TestRule10ATimerBelongsToAnEnvironmentAndAKey(t *testing.T) {
	start := event{wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 10))), "add a expiring old at 10; all", 0}
	playAll(t, []rule{
		{"the same key in two environments expires in both", []event{
			{wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 10)), listedEnv("b", 1, expiring("b", "old", 20))), "add a expiring old at 10; add b expiring old at 20; all", 0},
			{"tick", "", "expired a old", 10}, {"tick", "", "expired b old", 20},
		}},
		{"a later time moves the timer", []event{start,
			{wire.PatchEvent, patchEnv("a", 2, expiring("a", "old", 30)), "update a expiring old at 30", 5}, {"tick", "", "", 10}, {"tick", "", "expired a old", 30},
		}},
		{"an earlier time moves the timer", []event{start,
			{wire.PatchEvent, patchEnv("a", 2, expiring("a", "old", 6)), "update a expiring old at 6", 5}, {"tick", "", "expired a old", 6}, {"tick", "", "", 10},
		}},
		{"a key that is no longer listed does not expire", []event{start, {wire.PatchEvent, patchEnv("a", 2), "update a", 5}, {"tick", "", "", 10}}},
		{"a key that became the main key does not expire", []event{start,
			{wire.PatchEvent, patchEnv("a", 2, `"sdkKey":{"value":"old"}`), "update a", 5}, {"tick", "", "", 10}}},
		{"a key whose environment was deleted does not expire", []event{start, {wire.DeleteEvent, deletion("/environments/a", 2), "delete a", 5}, {"tick", "", "", 10}}},
		{"a key whose environment a put removed does not expire", []event{start, {wire.PutEvent, put(), "delete a; all", 5}, {"tick", "", "", 10}}},
		{"an ignored patch does not move the timer", []event{start, {wire.PatchEvent, patchEnv("a", 1, expiring("a", "old", 30)), "", 5}, {"tick", "", "expired a old", 10}}},
		{"a malformed set of keys does not move the timer", []event{start,
			{wire.PatchEvent, patchEnv("a", 2, `"sdkKey":{"value":""}`), "", 5}, {"tick", "", "expired a old", 10}}},
	})
}

func TestRule11OneTimeIsNext(t *testing.T) {
	s := New()
	next := func() int {
		at, ok := s.NextExpiry()
		if !ok {
			return -1
		}
		return int(at.Sub(epoch) / time.Second)
	}
	apply := func(name, data string) {
		m, err := s.decode(name, []byte(data))
		require.NoError(t, err)
		s.Apply(m, epoch)
	}
	assert.Equal(t, -1, next())
	apply(wire.PutEvent, put(listedEnv("a", 1, expiring("a", "old", 30)), listedEnv("b", 1, expiring("b", "old", 20)), listedEnv("c", 1)))
	assert.Equal(t, 20, next())
	apply(wire.PatchEvent, patchEnv("c", 2, expiring("c", "old", 10)))
	assert.Equal(t, 10, next())
	apply(wire.DeleteEvent, deletion("/environments/c", 3))
	assert.Equal(t, 20, next())
	assert.Len(t, s.Expire(seconds(25)), 1)
	assert.Equal(t, 30, next())
	apply(wire.PutEvent, put())
	assert.Equal(t, -1, next())
	assert.Empty(t, s.expiries.byEnv, "nothing is kept of environments that are gone")
}
