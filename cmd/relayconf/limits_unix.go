//go:build unix

package main

import "syscall"

// maxConnections returns the limit for relays: the limit asked for, or the rest of the limit of open files.
func maxConnections(asked int) int {
	const others = 100 // open files that are no relays
	if asked > 0 {
		return asked
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 || limit.Cur < 2*others {
		return 0
	}
	return int(limit.Cur) - others
}
