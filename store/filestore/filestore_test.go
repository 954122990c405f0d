package filestore

import (
	"bytes"
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
	key      config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000001"
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

func TestAFileThatCannotBeUsedIsSetAside(t *testing.T) {
	tests := []struct {
		name   string
		change func([]byte) []byte
		want   error
	}{
		{"empty", func([]byte) []byte { return nil }, store.ErrTruncated},
		{"truncated", func(b []byte) []byte { return b[:len(b)/2] }, store.ErrTruncated},
		{"flipped", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, store.ErrDamaged},
		{"foreign", func([]byte) []byte { return []byte("a letter to my aunt") }, store.ErrForeign},
		{"too large", func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }, store.ErrTooLarge},
		{"another key", func([]byte) []byte { return sealedBy(t, otherKey) }, store.ErrWrongKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			s, err := New(path, Options{Key: key, MaxSize: 1 << 20})
			require.NoError(t, err)
			data := test.change(sealedBy(t, key))
			require.NoError(t, os.WriteFile(path, data, 0o600))

			// Peek only looks.
			_, err = s.Peek(t.Context())
			require.ErrorIs(t, err, test.want)
			require.Equal(t, []string{"cache"}, names(t, path))

			snapshot, err := s.Load(t.Context())
			require.Nil(t, snapshot)
			require.ErrorIs(t, err, test.want)
			var unreadable *store.UnreadableError
			require.ErrorAs(t, err, &unreadable)
			assert.Equal(t, path, unreadable.Place)
			assert.Contains(t, err.Error(), unreadable.SetAside)
			assert.NotContains(t, err.Error(), "rel-0000")
			kept, err := os.ReadFile(unreadable.SetAside)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(data, kept), "it is not destroyed")

			snapshot, err = s.Load(t.Context())
			require.NoError(t, err)
			require.Nil(t, snapshot)
		})
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

func TestASaveSetsAsideWhatIsNotItsOwn(t *testing.T) {
	for name, data := range map[string][]byte{"another key": sealedBy(t, otherKey), "foreign": []byte("a letter to my aunt")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			require.NoError(t, os.WriteFile(path, data, 0o600))
			var reported []error
			s, err := New(path, Options{Key: key, Report: func(err error) { reported = append(reported, err) }})
			require.NoError(t, err)
			require.NoError(t, s.Save(t.Context(), versioned(2)))
			require.NoError(t, s.Save(t.Context(), versioned(3)))
			require.Equal(t, []string{string(data)}, asides(t, path))
			require.Len(t, reported, 1)
			var unreadable *store.UnreadableError
			require.ErrorAs(t, reported[0], &unreadable)
			snapshot, err := s.Load(t.Context())
			require.NoError(t, err)
			require.Equal(t, 3, requireWhole(t, snapshot))
		})
	}
}

func TestTheLatestFewFilesSetAsideAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, key)
	var want []string
	for i := range kept + 3 {
		content := fmt.Sprint("damaged ", i)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := s.Load(t.Context())
		require.ErrorIs(t, err, store.ErrForeign)
		want = append(want, content)
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
	_, err = newStore(t, path, key).Peek(t.Context())
	require.NoError(t, err, "the new key is enough after a Save")
	_, err = s.Peek(t.Context())
	require.ErrorIs(t, err, store.ErrWrongKey)

	s.SetKey(key)
	_, err = s.Peek(t.Context())
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
	if err := os.Symlink("file", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	require.NoError(t, os.WriteFile(file, []byte("damaged"), 0o600))
	s := newStore(t, link, key)
	_, err := s.Load(t.Context())
	var unreadable *store.UnreadableError
	require.ErrorAs(t, err, &unreadable)
	require.True(t, strings.HasPrefix(filepath.Base(unreadable.SetAside), "file.damaged-"), unreadable.SetAside)
}
