//go:build !windows

package output

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheModeOfTheFile(t *testing.T) {
	tests := map[string]struct {
		before  fs.FileMode // of the file that is there; 0: there is none
		flag    fs.FileMode
		content fs.FileMode
	}{
		"a new file":               {0, 0, 0o600},
		"a new file with a mode":   {0, 0o640, 0o640},
		"a file that is there":     {0o640, 0, 0o640},
		"one that all may read":    {0o644, 0, 0o644},
		"one that is read-only":    {0o400, 0, 0o400},
		"a file, and another mode": {0o644, 0o600, 0o600},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			options := w.options(filepath.Join(t.TempDir(), "envs.json"))
			options.Mode = test.flag
			if test.before != 0 {
				require.NoError(t, os.WriteFile(options.Path, nil, 0o600))
				require.NoError(t, os.Chmod(options.Path, test.before))
			}
			writer := Start(options)
			for range 2 { // also when it replaces its own
				writer.Changed()
				require.NoError(t, writer.Flush(t.Context()))
				info, err := os.Stat(options.Path)
				require.NoError(t, err)
				assert.NotZero(t, info.Size())
				assert.Equal(t, test.content, info.Mode())
			}
			require.NoError(t, writer.Close())
			assert.Empty(t, w.reports())
		})
	}
}

// Root may give a file away, and others may give it to any group that they are in.
func TestTheOwnerAndGroupOfTheFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "envs.json")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	groups, err := os.Getgroups()
	require.NoError(t, err)
	groups = append(groups, os.Getgid())
	owner := os.Geteuid()
	if owner == 0 {
		owner, groups = 23456, append(groups, 12345)
	}
	for _, group := range groups {
		require.NoError(t, os.Chown(path, owner, group))
		require.NoError(t, os.Chmod(path, 0o640))
		w := &world{}
		writer := Start(w.options(path))
		writer.Changed()
		require.NoError(t, writer.Close())
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.NotZero(t, info.Size())
		assert.Equal(t, uint32(group), info.Sys().(*syscall.Stat_t).Gid)
		assert.Equal(t, uint32(owner), info.Sys().(*syscall.Stat_t).Uid)
		assert.Equal(t, fs.FileMode(0o640), info.Mode())
		assert.Empty(t, w.reports())
	}
}

func TestAGroupThatCannotBeKeptGetsNoRights(t *testing.T) {
	tests := map[string]struct{ flag, want fs.FileMode }{
		"a mode that was found":     {0, 0o604},
		"a mode that was asked for": {0o664, 0o664},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			writer := &Writer{options: w.options("")}
			writer.options.Mode = test.flag
			file := &ownedFile{writer: writer}
			assert.Equal(t, test.want, file.withoutGroup(0o664, syscall.EPERM))
			assert.Equal(t, test.want, file.withoutGroup(0o664, syscall.EPERM))
			assert.Len(t, w.said, 1, "it is reported once")
			assert.Contains(t, w.reports(), "the output file can't keep its group: operation not permitted; its mode is now 06")
		})
	}
}
