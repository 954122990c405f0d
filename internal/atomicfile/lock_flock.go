//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"os"
	"syscall"
	"time"
)

// Those who hold a lock alone do so for as long as it takes to list a folder. One that is stopped meanwhile must not
// stop all the others, so they go on without the lock after a while.
const (
	shareAttempts = 100
	sharePause    = 5 * time.Millisecond
)

// folderLock is a lock on a folder, between processes and within one. Its file is nil if the folder can't be opened.
type folderLock struct{ file *os.File }

func openFolderLock(path string) folderLock {
	file, err := os.Open(path)
	if err != nil {
		return folderLock{}
	}
	return folderLock{file}
}

func (l folderLock) tryAlone() bool { return l.lock(syscall.LOCK_EX) == nil }

func (l folderLock) share() {
	for range shareAttempts {
		if l.lock(syscall.LOCK_SH) != syscall.EWOULDBLOCK {
			return
		}
		time.Sleep(sharePause)
	}
}

// lock fails at once where it can't have the lock.
func (l folderLock) lock(how int) error {
	if l.file == nil {
		return os.ErrInvalid
	}
	for {
		if err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB); err != syscall.EINTR {
			return err
		}
	}
}

func (l folderLock) release() {
	if l.file != nil {
		_ = l.file.Close()
	}
}
