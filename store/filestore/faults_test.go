package filestore

import (
	"bytes"
	"fmt"
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

func TestAFileThatCannotBeSetAsideStaysAndIsNotReplaced(t *testing.T) {
	path, data := otherKeysFile(t)
	s := newStore(t, path, key)
	broken := func(string, string) error { return errBroken }
	s.link, s.rename = broken, broken
	err := s.Save(t.Context(), versioned(2))
	var unreadable *store.UnreadableError
	require.ErrorAs(t, err, &unreadable)
	require.ErrorIs(t, err, errBroken)
	assert.Empty(t, unreadable.SetAside)
	requireFile(t, path, data)
	require.Equal(t, []string{"cache"}, names(t, path))
}

func TestASaveThatFailsPutsBackTheFileSetAside(t *testing.T) {
	for _, links := range []bool{true, false} {
		for _, step := range []string{"create", "write short", "sync", "close", "rename", "sync folder"} {
			t.Run(fmt.Sprint(step, ", second names: ", links), func(t *testing.T) {
				path, data := otherKeysFile(t)
				s := newStore(t, path, key)
				if !links {
					s.link = func(string, string) error { return errBroken }
				}
				s.replacer = broken(step)
				require.ErrorIs(t, s.Save(t.Context(), versioned(2)), errBroken)
				if step == "sync folder" { // it was replaced already
					require.Equal(t, []string{string(data)}, asides(t, path))
					return
				}
				requireFile(t, path, data)
				require.Equal(t, []string{"cache"}, names(t, path), "nothing is left over")

				s.replacer = atomicfile.Replacer{}
				require.NoError(t, s.Save(t.Context(), versioned(3)))
				require.Equal(t, []string{string(data)}, asides(t, path), "it is kept once")
			})
		}
	}
}

// Another process replaces the file just before it is set aside.
func TestAGoodFileThatComesMeanwhileIsNotSetAside(t *testing.T) {
	for _, links := range []bool{true, false} {
		t.Run(fmt.Sprint("second names: ", links), func(t *testing.T) {
			path, _ := otherKeysFile(t)
			s, other := newStore(t, path, key), newStore(t, path, key)
			replaced := func(then func(from, to string) error) func(from, to string) error {
				return func(from, to string) error {
					require.NoError(t, os.Remove(path))
					require.NoError(t, other.Save(t.Context(), versioned(2)))
					return then(from, to)
				}
			}
			s.link = replaced(os.Link)
			if !links {
				s.link, s.rename = func(string, string) error { return errBroken }, replaced(os.Rename)
			}
			s.replacer = broken("create")
			require.ErrorIs(t, s.Save(t.Context(), versioned(3)), errBroken)
			snapshot, err := other.Load(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 2, requireWhole(t, snapshot))
			assert.Equal(t, []string{"cache"}, names(t, path))
		})
	}
}

func TestAFileThatIsGoneNeedNotBeSetAside(t *testing.T) {
	path, _ := otherKeysFile(t)
	s := newStore(t, path, key)
	s.link = func(string, string) error { require.NoError(t, os.Remove(path)); return fs.ErrNotExist }
	require.NoError(t, s.Save(t.Context(), versioned(2)))
	require.Equal(t, []string{"cache"}, names(t, path))
}

// otherKeysFile makes a file that is encrypted with another key.
func otherKeysFile(t *testing.T) (path string, data []byte) {
	t.Helper()
	path, data = filepath.Join(t.TempDir(), "cache"), sealedBy(t, otherKey)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path, data
}

func requireFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "the file has changed")
}
