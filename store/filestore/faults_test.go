package filestore

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/atomicfile"
	"github.com/relayconf/relayconf/store"
)

// brokenFile is a real file, of which one step fails.
type brokenFile struct {
	*os.File
	step string
}

func (f brokenFile) Write(p []byte) (int, error) {
	switch f.step {
	case "write nothing":
		return 0, errBroken
	case "write short":
		n, _ := f.File.Write(p[:len(p)/2])
		return n, errBroken
	}
	return f.File.Write(p)
}

func (f brokenFile) Sync() error {
	if f.step == "sync" {
		return errBroken
	}
	return f.File.Sync()
}

func (f brokenFile) Close() error {
	err := f.File.Close()
	if f.step == "close" {
		return errBroken
	}
	return err
}

func broken(step string) atomicfile.Replacer {
	replacer := atomicfile.Replacer{
		Create: func(folder, pattern string) (atomicfile.File, error) {
			if step == "create" {
				return nil, errBroken
			}
			file, err := os.CreateTemp(folder, pattern)
			return brokenFile{file, step}, err
		},
	}
	switch step {
	case "rename":
		replacer.Rename = func(string, string) error { return errBroken }
	case "sync folder":
		replacer.SyncFolder = func(string) error { return errBroken }
	}
	return replacer
}

func TestAFailureOfAnyStepLeavesAWholeFile(t *testing.T) {
	for _, step := range []string{"create", "write nothing", "write short", "sync", "close", "rename", "sync folder"} {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			s := newStore(t, path, key)
			require.NoError(t, s.Save(t.Context(), versioned(1)))
			s.replacer = broken(step)
			require.ErrorIs(t, s.Save(t.Context(), versioned(2)), errBroken)

			snapshot, err := s.Load(t.Context())
			require.NoError(t, err)
			want := 1
			if step == "sync folder" {
				want = 2 // it was replaced already
			}
			assert.Equal(t, want, requireWhole(t, snapshot))
			assert.Equal(t, []string{"cache"}, names(t, path), "nothing is left over")

			s.replacer = atomicfile.Replacer{}
			require.NoError(t, s.Save(t.Context(), versioned(3)))
		})
	}
}

func TestAFileThatCannotBeSetAsideStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o600))
	s := newStore(t, path, key)
	s.replacer.Rename = func(string, string) error { return errBroken }
	_, err := s.Load(t.Context())
	var unreadable *store.UnreadableError
	require.ErrorAs(t, err, &unreadable)
	assert.Empty(t, unreadable.SetAside)
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, []string{"cache"}, names(t, path))
}

// Another process replaces the file just before it is set aside, and perhaps again just after.
func TestAGoodFileThatComesMeanwhileIsNotSetAside(t *testing.T) {
	for name, again := range map[string]bool{"once": false, "twice": true} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o600))
			s, other := newStore(t, path, key), newStore(t, path, key)
			s.replacer.Rename = func(from, to string) error {
				require.NoError(t, os.Remove(path))
				require.NoError(t, other.Save(t.Context(), versioned(1)))
				err := os.Rename(from, to)
				if again {
					require.NoError(t, other.Save(t.Context(), versioned(2)))
				}
				return err
			}
			_, err := s.Load(t.Context())
			require.ErrorIs(t, err, store.ErrForeign)
			s.replacer.Rename = nil
			snapshot, err := s.Load(t.Context())
			require.NoError(t, err)
			want := 1
			if again {
				want = 2
			}
			assert.Equal(t, want, requireWhole(t, snapshot))
			assert.Equal(t, []string{"cache"}, names(t, path))
		})
	}
}

func TestAFileThatIsGoneNeedNotBeSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o600))
	s := newStore(t, path, key)
	s.replacer.Rename = func(string, string) error { return fs.ErrNotExist }
	_, err := s.Load(t.Context())
	var unreadable *store.UnreadableError
	require.ErrorAs(t, err, &unreadable)
	assert.Empty(t, unreadable.SetAside)
	assert.NoError(t, unreadable.Failed)
}
