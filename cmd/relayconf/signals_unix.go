//go:build !windows

package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// reload asks for the key file to be read again.
var reload os.Signal = syscall.SIGHUP

// inUse is the error of an address that another listener has.
const inUse = syscall.EADDRINUSE

// catchClosedPipe has writes to a closed pipe fail, rather than end the process in the middle of its work.
func catchClosedPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

func isClosedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
