package filewatch

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openForWriting tells whether a process has a file, which this one has opened for reading, open for writing: the system
// then refuses a lease. The lease is given back at once. Where the system grants no leases, as for a file that another user
// owns, the answer is no.
func openForWriting(file *os.File) bool {
	_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}
