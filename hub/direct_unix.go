//go:build unix

package hub

import "syscall"

// canWriteNow returns the connection if writeNow is possible on this system.
func canWriteNow(raw syscall.RawConn, err error) syscall.RawConn {
	if err != nil {
		return nil
	}
	return raw
}

// writeNow writes without waiting. It returns no error if nothing could be written just now.
func writeNow(raw syscall.RawConn, p []byte) (n int, err error) {
	overall := raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), p)
			if err != syscall.EINTR {
				return true
			}
		}
	})
	if err == syscall.EAGAIN {
		err = nil
	}
	if overall != nil { // it is closed, or a deadline has passed
		err = overall
	}
	return max(0, n), err
}
