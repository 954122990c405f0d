//go:build !unix

package hub

import (
	"errors"
	"syscall"
)

// canWriteNow returns nil: each relay is written to by its own goroutine.
func canWriteNow(syscall.RawConn, error) syscall.RawConn { return nil }

func writeNow(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
