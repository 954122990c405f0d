package atomicfile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRemovesWhatKilledProcessesLeftOver(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.json")
	leftover := filepath.Join(folder, ".a.json.tmp-123")
	others := filepath.Join(folder, ".b.json.tmp-123")
	require.NoError(t, os.WriteFile(leftover, []byte("half"), 0o600))
	require.NoError(t, os.WriteFile(others, []byte("half"), 0o600))
	require.NoError(t, Write(path, []byte("new")))
	requireContent(t, path, "new")
	assert.NoFileExists(t, leftover)
	assert.FileExists(t, others, "it belongs to another file")
}

func TestKeepsWhatOthersAreWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	err := WriteFunc(path, func(w io.Writer) error {
		require.NoError(t, Write(path, []byte("inner")))
		_, err := io.WriteString(w, "outer")
		return err
	})
	if runtime.GOOS != "windows" {
		require.NoError(t, err)
		requireContent(t, path, "outer")
		requireOnly(t, path)
	}
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
