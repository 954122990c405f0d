//go:build !windows

package keysource

import (
	"os"
	"syscall"
)

// open does not wait for somebody to write, as it would with a named pipe.
func open(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) }
