package filewatch

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is far more than a change takes to be noticed, on a slow machine too.
const soon = 60 * time.Second

// reader keeps every content that the watcher had it read.
type reader struct {
	path string
	mu   sync.Mutex
	read []string
}

func (r *reader) reread() error {
	data, err := Read(r.path, 1<<20)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case errors.Is(err, ErrBeingWritten):
		return err
	case err != nil:
		r.read = append(r.read, "error")
	default:
		r.read = append(r.read, string(data))
	}
	return nil
}

func (r *reader) contents() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.read...)
}

// says waits until the latest content is this one.
func (r *reader) says(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := r.contents()
		return len(all) > 0 && all[len(all)-1] == want
	}, soon, 5*time.Millisecond, "never read: %q", want)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func TestEveryWayToChangeAFileIsNoticed(t *testing.T) {
	t.Parallel()
	// configMap makes the links of Kubernetes: the file is a link into the folder ..data, which is a link that is swapped.
	configMap := func(t *testing.T, folder string) {
		write(t, filepath.Join(folder, "..one", "file"), "old")
		require.NoError(t, os.Symlink("..one", filepath.Join(folder, "..data")))
		require.NoError(t, os.Symlink(filepath.Join("..data", "file"), filepath.Join(folder, "file")))
	}
	plain := func(t *testing.T, folder string) { write(t, filepath.Join(folder, "file"), "old") }
	for _, row := range []struct {
		name   string
		before func(t *testing.T, folder string)
		change func(t *testing.T, folder string)
		want   string // in the end
		away   bool   // there is no file for a moment
	}{
		{"written in place", plain, func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, "file"), "new")
		}, "new", false},
		{"replaced by a rename, as by editors and rsync", plain, func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, ".file.tmp"), "new")
			require.NoError(t, os.Rename(filepath.Join(folder, ".file.tmp"), filepath.Join(folder, "file")))
		}, "new", false},
		{"moved away and written anew, as by vi", plain, func(t *testing.T, folder string) {
			require.NoError(t, os.Rename(filepath.Join(folder, "file"), filepath.Join(folder, "file~")))
			write(t, filepath.Join(folder, "file"), "new")
		}, "new", true},
		{"a ConfigMap's link swapped", configMap, func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, "..two", "file"), "new")
			require.NoError(t, os.Symlink("..two", filepath.Join(folder, "..data_tmp")))
			require.NoError(t, os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")))
			require.NoError(t, os.RemoveAll(filepath.Join(folder, "..one")))
		}, "new", false},
		{"written behind a link", configMap, func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, "..one", "file"), "new")
		}, "new", false},
		{"removed", plain, func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(filepath.Join(folder, "file")))
		}, "error", false},
		{"made", func(*testing.T, string) {}, func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, "file"), "new")
		}, "new", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			row.before(t, folder)
			r := &reader{path: filepath.Join(folder, "file")}
			w := Start(Take(r.path), r.reread)
			defer w.Close()
			row.change(t, folder)
			r.says(t, row.want)
			for _, content := range r.contents() {
				assert.True(t, content == "old" || content == row.want || row.away && content == "error", content)
			}
		})
	}
}

func TestAChangeBeforeTheStartIsNoticed(t *testing.T) {
	t.Parallel()
	r := &reader{path: filepath.Join(t.TempDir(), "file")}
	write(t, r.path, "old")
	before := Take(r.path)
	write(t, r.path, "newer")
	w := Start(before, r.reread)
	defer w.Close()
	r.says(t, "newer")
}

func TestAFolderIsWatchedForItsFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	counted := make(chan int, 100)
	w := Start(Take(folder), func() error {
		counted <- len(Visible(folder))
		return nil
	})
	defer w.Close()
	says := func(want int) {
		t.Helper()
		deadline := time.After(soon)
		for {
			select {
			case got := <-counted:
				if got == want {
					return
				}
			case <-deadline:
				require.FailNow(t, "the change was not noticed")
			}
		}
	}
	write(t, filepath.Join(folder, "one"), "1")
	says(1)
	write(t, filepath.Join(folder, "two"), "2")
	says(2)
	require.NoError(t, os.Remove(filepath.Join(folder, "one")))
	says(1)
}
