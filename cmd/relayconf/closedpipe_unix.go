//go:build !windows

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// closedPoll is how long one look at a pipe takes, in milliseconds: so long may the goroutine that looks outlive the
// command's work.
const closedPoll = 500

// whenClosed calls closed when the reader of a pipe has gone, which a write would show only when there is something to
// write. It returns when ended is closed, or at once if the file is no pipe.
func whenClosed(file *os.File, ended <-chan struct{}, closed func()) {
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	for !isClosed(ended) {
		pipe := []unix.PollFd{{Fd: int32(file.Fd())}} // no events: errors are always told
		_, err := unix.Poll(pipe, closedPoll)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return
		case pipe[0].Revents&(unix.POLLERR|unix.POLLNVAL) != 0:
			closed()
			return
		}
	}
}
