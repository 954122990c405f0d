//go:build !windows

package main

import (
	"os"
	"syscall"
)

// reload asks for the key file to be read again.
var reload os.Signal = syscall.SIGHUP
