package orphans

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"unsafe"
)

// prGetChildSubreaper is PR_GET_CHILD_SUBREAPER of prctl(2).
const prGetChildSubreaper = 37

// Expected tells whether orphans come to this process: it is process 1, or a subreaper.
func Expected() bool {
	var subreaper int32
	_, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, prGetChildSubreaper, uintptr(unsafe.Pointer(&subreaper)), 0)
	return os.Getpid() == 1 || failed == 0 && subreaper != 0
}

// Reap waits for each orphan that ends, until the context ends.
func Reap(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		reapAll() // at first, too: some may have ended before
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
	}
}

// reapAll goes by /proc, since to ask the system for any child that has ended would take the exit status of our own.
func reapAll() {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil || !isZombieOf(stat, os.Getpid()) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			reap(pid)
		}
	}
}

// isZombieOf reads a line of proc_pid_stat(5): "12 (name) Z 1 ...", where 1 is the parent. The name may hold anything.
func isZombieOf(stat []byte, parent int) bool {
	afterName := stat[bytes.LastIndexByte(stat, ')')+1:]
	return bytes.HasPrefix(afterName, fmt.Appendf(nil, " Z %d ", parent))
}

// reap waits for a child that has ended, unless it is one of our own.
func reap(pid int) {
	own.mu.Lock()
	defer own.mu.Unlock()
	if !own.pids[pid] {
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	}
}
