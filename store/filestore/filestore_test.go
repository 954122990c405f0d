package filestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/storetest"
)

const (
	key      config.AutoConfigKey = storetest.Key
	otherKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000002"
)

func newStore(t *testing.T, path string, key config.AutoConfigKey, older ...config.AutoConfigKey) *Store {
	t.Helper()
	s, err := New(path, Options{Key: key, OlderKeys: older})
	require.NoError(t, err)
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		path := filepath.Join(t.TempDir(), "cache")
		return storetest.Subject{
			Store:   newStore(t, path, key),
			Another: func(t *testing.T) autoconfig.Store { return newStore(t, path, key) },
			Corrupt: func(t *testing.T, change func([]byte) []byte) {
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(path, change(data), 0o600))
			},
			WithKey: func(t *testing.T, key config.AutoConfigKey) autoconfig.KeyedStore { return newStore(t, path, key) },
		}
	})
}

func TestOnlyTheOwnerMayReadTheFileAndNobodyTheKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, newStore(t, path, key).Save(t.Context(), versioned(1)))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "env1")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

func TestALoadLeavesAFileThatCannotBeUsedAndASaveSetsItAside(t *testing.T) {
	tests := []struct {
		name   string
		change func([]byte) []byte
		want   error
		aside  string
	}{
		{"empty", func([]byte) []byte { return nil }, store.ErrTruncated, "damaged"},
		{"truncated", func(b []byte) []byte { return b[:len(b)/2] }, store.ErrTruncated, "damaged"},
		{"flipped", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, store.ErrDamaged, "damaged"},
		{"too large", func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }, store.ErrTooLarge, "too-large"},
		{"another key", func([]byte) []byte { return sealedBy(t, otherKey) }, store.ErrWrongKey, "other-key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			var reported []error
			s, err := New(path, Options{Key: key, MaxSize: 1 << 20, Report: func(err error) { reported = append(reported, err) }})
			require.NoError(t, err)
			data := test.change(sealedBy(t, key))
			require.NoError(t, os.WriteFile(path, data, 0o600))
			for range 2 {
				snapshot, err := s.Load(t.Context())
				require.Nil(t, snapshot)
				require.ErrorIs(t, err, test.want)
				var unreadable *store.UnreadableError
				require.ErrorAs(t, err, &unreadable)
				assert.Equal(t, path, unreadable.Place)
				assert.Empty(t, unreadable.SetAside)
				assert.NotContains(t, err.Error(), "rel-0000")
				requireFile(t, path, data)
				require.Equal(t, []string{"cache"}, names(t, path))
			}

			require.NoError(t, s.Save(t.Context(), versioned(2)))
			require.NoError(t, s.Save(t.Context(), versioned(3)))
			require.Len(t, reported, 1, "it is set aside once")
			var unreadable *store.UnreadableError
			require.ErrorAs(t, reported[0], &unreadable)
			require.ErrorIs(t, reported[0], test.want)
			assert.True(t, strings.HasPrefix(unreadable.SetAside, path+"."+test.aside+"-"), unreadable.SetAside)
			requireFile(t, unreadable.SetAside, data)
			require.Len(t, names(t, path), 2)
			snapshot, err := s.Load(t.Context())
			require.NoError(t, err)
			require.Equal(t, 3, requireWhole(t, snapshot))
		})
	}
}

func TestAFileOfSomebodyElseIsNeverTouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	const letter = "a letter to my aunt"
	require.NoError(t, os.WriteFile(path, []byte(letter), 0o644))
	s := newStore(t, path, key)
	save := func() error { return s.Save(t.Context(), versioned(1)) }
	load := func() error { _, err := s.Load(t.Context()); return err }
	for _, call := range []func() error{save, load, save} {
		require.ErrorIs(t, call(), store.ErrForeign)
		requireFile(t, path, []byte(letter))
		require.Equal(t, []string{"cache"}, names(t, path))
	}
}

// sealedBy returns the content of a file.
func sealedBy(t *testing.T, key config.AutoConfigKey) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other")
	require.NoError(t, newStore(t, path, key).Save(t.Context(), versioned(1)))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func TestASaveWithoutALoadSetsAsideAFileOfAnotherKey(t *testing.T) {
	path, data := otherKeysFile(t)
	require.NoError(t, newStore(t, path, key).Save(t.Context(), versioned(2)))
	require.Equal(t, []string{string(data)}, asides(t, path))
}

func TestTheLatestFewFilesSetAsideAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, key)
	var want []string
	for range kept + 3 {
		data := sealedBy(t, otherKey)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		require.NoError(t, s.Save(t.Context(), versioned(1)))
		want = append(want, string(data))
	}
	assert.Equal(t, want[3:], asides(t, path))
}

func TestRotatingTheKeyDoesNotLoseTheCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, otherKey)
	require.NoError(t, s.Save(t.Context(), versioned(1)))

	rotated := newStore(t, path, key, otherKey)
	snapshot, err := rotated.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, requireWhole(t, snapshot))
	require.NoError(t, rotated.Save(t.Context(), versioned(2)))
	_, err = newStore(t, path, key).Load(t.Context())
	require.NoError(t, err, "the new key is enough after a Save")
	_, err = s.Load(t.Context())
	require.ErrorIs(t, err, store.ErrWrongKey)

	s.SetKey(key)
	_, err = s.Load(t.Context())
	require.NoError(t, err)
}

func TestAFailureToReadLeavesTheFileAlone(t *testing.T) {
	folder := t.TempDir()
	s := newStore(t, folder, key)
	_, err := s.Load(t.Context())
	require.ErrorContains(t, err, "not a regular file")
	require.ErrorContains(t, s.Save(t.Context(), versioned(1)), "it is a folder")

	missing := newStore(t, filepath.Join(folder, "missing", "cache"), key)
	snapshot, err := missing.Load(t.Context())
	require.NoError(t, err)
	require.Nil(t, snapshot)
	require.ErrorContains(t, missing.Save(t.Context(), versioned(1)), "no such file")
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	_, err := New("", Options{Key: key})
	require.ErrorContains(t, err, "path")
	_, err = New("cache", Options{})
	require.ErrorContains(t, err, "a key is needed")
}

func TestAStorePrintsNoKey(t *testing.T) {
	s := newStore(t, "cache", key, otherKey)
	for _, format := range []string{"%v", "%+v", "%#v"} {
		assert.NotContains(t, fmt.Sprintf(format, s), "rel-0000")
		assert.NotContains(t, fmt.Sprintf(format, Options{Key: key, OlderKeys: []config.AutoConfigKey{otherKey}}), "rel-0000")
	}
}

func TestAHangingStepDoesNotHoldUpACaller(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, key)
	hang, entered := make(chan struct{}), make(chan struct{})
	s.replacer.Rename = func(from, to string) error {
		close(entered)
		<-hang
		return os.Rename(from, to)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- s.Save(ctx, versioned(1)) }()
	<-entered
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)

	// It still hangs, so that a Load waits, as long as it may.
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := s.Load(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	close(hang)
	snapshot, err := s.Load(t.Context())
	require.NoError(t, err)
	requireWhole(t, snapshot)
}

func TestASymbolicLinkStaysOne(t *testing.T) {
	folder := t.TempDir()
	link, file := filepath.Join(folder, "link"), filepath.Join(folder, "file")
	data := sealedBy(t, otherKey)
	require.NoError(t, os.WriteFile(file, data, 0o600))
	require.NoError(t, os.Symlink("file", link))
	require.NoError(t, newStore(t, link, key).Save(t.Context(), versioned(1)))
	require.Equal(t, []string{string(data)}, asides(t, file))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
}

func TestRotateKeyIsForAStoreThatHasTheFormerKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	follows := newStore(t, path, otherKey)
	follows.RotateKey(otherKey, key)
	require.NoError(t, follows.Save(t.Context(), versioned(1)))
	_, err := newStore(t, path, key).Load(t.Context())
	require.NoError(t, err)

	ownSecret := newStore(t, path, "a secret of its own", key)
	ownSecret.RotateKey(key, otherKey)
	require.NoError(t, ownSecret.Save(t.Context(), versioned(2)))
	_, err = newStore(t, path, "a secret of its own").Load(t.Context())
	require.NoError(t, err)
}
