package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWritesANewFileThatOnlyItsOwnerMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, Write(path, []byte("new")))
	requireContent(t, path, "new")
	requireMode(t, path)
}

func TestReplacesAFileAndItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, os.WriteFile(path, []byte("a much longer old content"), 0o644))
	require.NoError(t, Write(path, []byte("new")))
	requireContent(t, path, "new")
	requireMode(t, path)
	requireOnly(t, path)
}

func TestKeepsTheOldContentIfTheWriterFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, Write(path, []byte("old")))
	broken := errors.New("broken")
	err := WriteFunc(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 100_000))
		return broken
	})
	require.ErrorIs(t, err, broken)
	assert.Contains(t, err.Error(), path)
	requireContent(t, path, "old")
	requireOnly(t, path)
}

func TestRefusesWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	tests := map[string]struct{ path, want string }{
		"a folder":             {folder, "it is a folder"},
		"a file in no folder":  {filepath.Join(folder, "missing", "a.json"), "could not write"},
		"a folder with a file": {filepath.Dir(folder), "it is a folder"},
	}
	if runtime.GOOS != "windows" {
		tests["a device"] = struct{ path, want string }{os.DevNull, "not a regular file"}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, Write(test.path, []byte("new")), test.want)
		})
	}
}

func TestReplacesWhatASymbolicLinkPointsTo(t *testing.T) {
	folder := t.TempDir()
	link, file := filepath.Join(folder, "link"), filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o600))
	if err := os.Symlink("file", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	require.NoError(t, Write(link, []byte("new")))
	requireContent(t, file, "new")
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink, "the link is still one")
}

func TestAReaderNeverSeesAPart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows refuses to replace a file while it is open")
	}
	path := filepath.Join(t.TempDir(), "a.json")
	whole := func(i int) string { return strings.Repeat(fmt.Sprint(i), 64<<10) }
	require.NoError(t, Write(path, []byte(whole(0))))

	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 10 {
			assert.NoError(t, Write(path, []byte(whole(i))))
		}
	})
	done := make(chan struct{})
	go func() { writer.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Len(t, data, 64<<10)
		require.Equal(t, data[0], data[len(data)-1])
	}
}

func requireContent(t *testing.T, path, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(data))
}

func requireMode(t *testing.T, path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, Mode, info.Mode().Perm())
}

// requireOnly checks that nothing but the file is left in its folder.
func requireOnly(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, filepath.Base(path), entries[0].Name())
}
