package atomicfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRemovesTemporaryFilesOlderThanADay(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.json")
	tests := []struct {
		name, file string
		age        time.Duration
		removed    bool
	}{
		{"older than a day", ".a.json.tmp-1", 25 * time.Hour, true},
		{"younger: another process may be writing it", ".a.json.tmp-2", 23 * time.Hour, false},
		{"from the future, as after a change of the clock", ".a.json.tmp-3", -48 * time.Hour, false},
		{"of another file", ".b.json.tmp-1", 48 * time.Hour, false},
		{"a file that only begins with the same name", "a.json.tmp-1", 48 * time.Hour, false},
	}
	for _, test := range tests {
		file := filepath.Join(folder, test.file)
		require.NoError(t, os.WriteFile(file, []byte("half"), 0o600))
		modified := time.Now().Add(-test.age)
		require.NoError(t, os.Chtimes(file, modified, modified))
	}
	require.NoError(t, Write(path, []byte("new")))
	requireContent(t, path, "new")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := os.Stat(filepath.Join(folder, test.file))
			assert.Equal(t, test.removed, errors.Is(err, fs.ErrNotExist))
		})
	}
}

func TestKeepsWhatOthersAreWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	err := WriteFunc(path, func(w io.Writer) error {
		require.NoError(t, Write(path, []byte("inner")))
		_, err := io.WriteString(w, "outer")
		return err
	})
	require.NoError(t, err)
	requireContent(t, path, "outer")
	requireOnly(t, path)
}

func TestKeepsTheOldContentIfTheContextEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, Write(path, []byte("old")))
	ctx, cancel := context.WithCancel(t.Context())
	err := Replacer{}.Write(ctx, path, func(w io.Writer) error {
		cancel()
		_, err := io.WriteString(w, "new")
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	requireContent(t, path, "old")
	requireOnly(t, path)
}

// brokenFile is a real file, of which one step fails.
type brokenFile struct {
	*os.File
	step string
}

var errBroken = errors.New("broken")

func (f brokenFile) Chmod(mode os.FileMode) error {
	if f.step == "chmod" {
		return errBroken
	}
	return f.File.Chmod(mode)
}

func (f brokenFile) Write(p []byte) (int, error) {
	if f.step == "write" {
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

func TestKeepsTheOldContentWhicheverStepFails(t *testing.T) {
	for _, step := range []string{"create", "chmod", "write", "sync", "close", "rename", "sync folder"} {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.json")
			require.NoError(t, Write(path, []byte("old")))
			replacer := Replacer{
				Create: func(folder, pattern string) (File, error) {
					if step == "create" {
						return nil, errBroken
					}
					file, err := os.CreateTemp(folder, pattern)
					return brokenFile{file, step}, err
				},
			}
			want := "old"
			switch step {
			case "rename":
				replacer.Rename = func(string, string) error { return errBroken }
			case "sync folder":
				replacer.SyncFolder = func(string) error { return errBroken }
				want = "new" // the rename was done: what is there is whole
			}
			err := replacer.Write(t.Context(), path, func(w io.Writer) error {
				_, err := io.WriteString(w, "new")
				return err
			})
			require.ErrorIs(t, err, errBroken)
			assert.Contains(t, err.Error(), path)
			requireContent(t, path, want)
			requireOnly(t, path)
		})
	}
}
