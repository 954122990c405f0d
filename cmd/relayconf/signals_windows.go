package main

import (
	"errors"
	"os"
	"syscall"
)

// reload is nil: Windows has no such signal.
var reload os.Signal

// inUse is WSAEADDRINUSE: another listener has the address.
const inUse = syscall.Errno(10048)

// catchClosedPipe does nothing: writes to a closed pipe fail anyway.
func catchClosedPipe() {}

// errNoData is ERROR_NO_DATA: the pipe is being closed.
const errNoData = syscall.Errno(232)

func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, errNoData)
}
