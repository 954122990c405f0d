//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package atomicfile

import "runtime"

// folderLock stands for a lock that this system does not have.
type folderLock struct{}

func openFolderLock(string) folderLock { return folderLock{} }

// tryAlone reports whether leftovers may be removed. Windows itself refuses to remove a file that is being written.
func (folderLock) tryAlone() bool { return runtime.GOOS == "windows" }

func (folderLock) share()   {}
func (folderLock) release() {}
