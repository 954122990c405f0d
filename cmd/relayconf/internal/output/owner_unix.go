//go:build !windows

package output

import (
	"io/fs"
	"os"
	"syscall"
)

// setGroup gives a file the group of another, and its owner if it can: root alone may give files away. It fails if this
// user may not give that group.
func setGroup(file *os.File, like fs.FileInfo) error {
	want, ok := like.Sys().(*syscall.Stat_t)
	if !ok || file.Chown(int(want.Uid), int(want.Gid)) == nil {
		return nil
	}
	return file.Chown(-1, int(want.Gid))
}
