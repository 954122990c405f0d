package sealed

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

const (
	key      config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000001"
	otherKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000002"
	newKey   config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000003"
)

// sdkKey is a secret inside of the snapshots.
const sdkKey = "sdk-00000000-0000-4000-8000-000000000001"

func newSnapshot() *autoconfig.Snapshot {
	return &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat,
		SavedAt:       time.Date(2026, 11, 21, 1, 2, 3, 4, time.UTC),
		ConfirmedAt:   time.Date(2026, 11, 21, 1, 2, 3, 3, time.UTC),
		Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{
			"env1": {EnvID: "env1", SDKKey: envfactory.SDKKeyRep{Value: sdkKey}, Version: 7},
		},
		Filters: map[config.FilterID]envfactory.FilterRep{"web.a": {ProjKey: "web", FilterKey: "a", Version: 2}},
	}
}

func newBox(t testing.TB, key config.AutoConfigKey, older ...config.AutoConfigKey) *Box {
	t.Helper()
	box, err := NewBox(key, older, 0)
	require.NoError(t, err)
	return box
}

func seal(t testing.TB, box *Box) []byte {
	t.Helper()
	sealed, err := box.Seal(newSnapshot())
	require.NoError(t, err)
	return sealed
}

func TestOpensWhatItSealed(t *testing.T) {
	box := newBox(t, key)
	sealed := seal(t, box)
	require.NoError(t, box.CheckHeader(sealed[:HeaderSize]))
	got, err := box.Open(sealed)
	require.NoError(t, err)
	assert.Equal(t, newSnapshot(), got)
}

func TestNothingOfTheSnapshotIsReadable(t *testing.T) {
	sealed := seal(t, newBox(t, key))
	for _, secret := range []string{sdkKey, "env1", "web", string(key)} {
		assert.NotContains(t, string(sealed), secret)
	}
}

func TestEachSealHasItsOwnSaltAndNonce(t *testing.T) {
	box := newBox(t, key)
	a, b := seal(t, box), seal(t, box)
	assert.NotEqual(t, a[24:56], b[24:56], "salt")
	assert.NotEqual(t, a[56:68], b[56:68], "nonce")
	assert.NotEqual(t, a[68:84], b[68:84], "key check")
	assert.NotEqual(t, a[HeaderSize:], b[HeaderSize:], "payload")
}

func TestTheFirstKeySealsAndAllOpen(t *testing.T) {
	old := seal(t, newBox(t, key))
	rotated := newBox(t, otherKey, newKey, key)
	_, err := rotated.Open(slices.Clone(old))
	require.NoError(t, err)
	_, err = newBox(t, otherKey).Open(seal(t, rotated))
	require.NoError(t, err)
	_, err = newBox(t, key).Open(seal(t, rotated))
	require.ErrorIs(t, err, ErrWrongKey)
}

func TestANewKeySealsFromThenOnAndTheFormerOpens(t *testing.T) {
	box := newBox(t, key)
	old := seal(t, box)
	box.SetKey(newKey)
	box.SetKey("") // is no key
	_, err := newBox(t, newKey).Open(seal(t, box))
	require.NoError(t, err)
	_, err = box.Open(old)
	require.NoError(t, err)
	box.SetKey(key)
	assert.Equal(t, []config.AutoConfigKey{key, newKey}, box.allKeys())
}

func TestRotateKeyIsForABoxThatSealsWithTheFormerKey(t *testing.T) {
	tests := []struct {
		name        string
		former, new config.AutoConfigKey
		want        []config.AutoConfigKey
	}{
		{"it seals with the former", key, newKey, []config.AutoConfigKey{newKey, key, otherKey}},
		{"the former is one of its older keys", otherKey, newKey, []config.AutoConfigKey{key, otherKey}},
		{"it does not know the former", "rel-unknown", newKey, []config.AutoConfigKey{key, otherKey}},
		{"back to an older key", key, otherKey, []config.AutoConfigKey{otherKey, key}},
		{"no new key", key, "", []config.AutoConfigKey{key, otherKey}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			box := newBox(t, key, otherKey)
			box.RotateKey(test.former, test.new)
			assert.Equal(t, test.want, box.allKeys())
		})
	}
}

func TestNewBoxRefusesEmptyKeys(t *testing.T) {
	_, err := NewBox("", nil, 0)
	require.ErrorContains(t, err, "a key is needed")
	_, err = NewBox(key, []config.AutoConfigKey{otherKey, ""}, 0)
	require.ErrorContains(t, err, "leave it out")
}

func TestTellsWhyItCannotBeOpened(t *testing.T) {
	// withHeader changes the header and makes its checksum right again, as somebody could on purpose.
	withHeader := func(change func(b []byte)) func([]byte) []byte {
		return func(b []byte) []byte {
			change(b)
			binary.BigEndian.PutUint32(b[84:], crc32.ChecksumIEEE(b[:84]))
			return b
		}
	}
	flip := func(offset int) func([]byte) []byte {
		return func(b []byte) []byte { b[offset] ^= 0x10; return b }
	}
	tests := []struct {
		name   string
		change func([]byte) []byte
		want   error
	}{
		{"nothing", func([]byte) []byte { return nil }, ErrTruncated},
		{"text", func([]byte) []byte { return []byte(strings.Repeat("text", 100)) }, ErrForeign},
		{"a flipped magic", flip(3), ErrForeign},
		{"a part of the magic", func(b []byte) []byte { return b[:5] }, ErrTruncated},
		{"the magic alone", func(b []byte) []byte { return b[:8] }, ErrTruncated},
		{"a part of the header", func(b []byte) []byte { return b[:50] }, ErrTruncated},
		{"the header alone", func(b []byte) []byte { return b[:HeaderSize] }, ErrTruncated},
		{"without the last byte", func(b []byte) []byte { return b[:len(b)-1] }, ErrTruncated},
		{"a byte too many", func(b []byte) []byte { return append(b, 0) }, ErrDamaged},
		{"a flipped version", flip(9), ErrDamaged},
		{"a flipped header size", flip(11), ErrDamaged},
		{"a flipped payload size", flip(20), ErrDamaged},
		{"a flipped salt", flip(24), ErrDamaged},
		{"a flipped nonce", flip(56), ErrDamaged},
		{"a flipped key check", flip(68), ErrDamaged},
		{"a flipped checksum", flip(84), ErrDamaged},
		{"a flipped payload", flip(HeaderSize + 5), ErrDamaged},
		{"the end zeroed, as after a power cut", func(b []byte) []byte { clear(b[len(b)-40:]); return b }, ErrDamaged},
		{"a newer version", withHeader(func(b []byte) { b[9] = 2 }), ErrNewerFormat},
		{"version 0", withHeader(func(b []byte) { b[9] = 0 }), ErrDamaged},
		{"an unknown derivation", withHeader(func(b []byte) { b[12] = 9 }), ErrDamaged},
		{"an unknown compression", withHeader(func(b []byte) { b[13] = 9 }), ErrDamaged},
		{"a forged nonce", withHeader(func(b []byte) { b[56] ^= 1 }), ErrDamaged},
		{"forged reserved bytes", withHeader(func(b []byte) { b[14] ^= 1 }), ErrDamaged},
		{"a forged salt", withHeader(func(b []byte) { b[24] ^= 1 }), ErrWrongKey},
		{"an absurd payload size", withHeader(func(b []byte) { binary.BigEndian.PutUint64(b[16:], 1<<63) }), ErrTruncated},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			box := newBox(t, key)
			_, err := box.Open(test.change(seal(t, box)))
			require.ErrorIs(t, err, test.want)
			requireNoSecret(t, err)
		})
	}
	t.Run("another key", func(t *testing.T) {
		_, err := newBox(t, otherKey, newKey).Open(seal(t, newBox(t, key)))
		require.ErrorIs(t, err, ErrWrongKey)
		requireNoSecret(t, err)
		err = newBox(t, otherKey).CheckHeader(seal(t, newBox(t, key))[:HeaderSize])
		require.ErrorIs(t, err, ErrWrongKey)
	})
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	box := newBox(t, key)
	sealed := seal(t, box)
	for i := range sealed {
		changed := slices.Clone(sealed)
		changed[i] ^= 0x01
		_, err := box.Open(changed)
		require.Error(t, err, "byte %d", i)
		require.NotErrorIs(t, err, ErrWrongKey, "byte %d", i)
		_, err = box.Open(slices.Clone(sealed[:i]))
		require.Error(t, err, "cut to %d bytes", i)
	}
}

func TestANewerSnapshotFormatIsSaidToBeOne(t *testing.T) {
	box := newBox(t, key)
	snapshot := newSnapshot()
	snapshot.FormatVersion = autoconfig.SnapshotFormat + 1
	sealed, err := box.Seal(snapshot)
	require.NoError(t, err)
	_, err = box.Open(sealed)
	require.ErrorIs(t, err, ErrNewerFormat)
}

func TestTheLimitHoldsBothWays(t *testing.T) {
	small, err := NewBox(key, nil, 200)
	require.NoError(t, err)
	_, err = small.Seal(newSnapshot())
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = small.Open(seal(t, newBox(t, key)))
	require.ErrorIs(t, err, ErrTooLarge)

	// A small file may hold a large text.
	snapshot := newSnapshot()
	env := snapshot.Environments["env1"]
	env.EnvName = strings.Repeat("a", 1<<20)
	snapshot.Environments["env1"] = env
	sealed, err := newBox(t, key).Seal(snapshot)
	require.NoError(t, err)
	medium, err := NewBox(key, nil, 100_000)
	require.NoError(t, err)
	require.Less(t, len(sealed), 100_000)
	_, err = medium.Open(sealed)
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestThereIsNoSnapshotToSeal(t *testing.T) {
	_, err := newBox(t, key).Seal(nil)
	require.ErrorContains(t, err, "nil")
}

func TestABoxPrintsNoKey(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assert.NotContains(t, fmt.Sprintf(format, newBox(t, key)), "rel-0000", format)
	}
}

func requireNoSecret(t testing.TB, err error) {
	t.Helper()
	for _, secret := range []string{string(key), string(otherKey), string(newKey), sdkKey} {
		require.NotContains(t, err.Error(), secret)
	}
}
