//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// serverOptions are those of a process that serves.
type serverOptions struct {
	upstream  string
	address   string
	cache     string
	admission bool
}

// contender is a hub that is measured.
type contender interface {
	serve(net.Listener)
	ready() bool // it has a configuration
	relays() int // connected ones
	dropped() int
}

// usage is a process's report on itself: CPU time and memory used so far, relays, and relays dropped.
type usage struct {
	CPU     time.Duration
	RSS     int // bytes
	Peak    int // bytes of the largest RSS so far
	Heap    int // bytes in use
	Relays  int
	Dropped int
}

// serveAs serves, and answers questions on standard input until that is closed.
func serveAs(name string, options serverOptions) {
	c := newContender(name, options)
	listener, err := net.Listen("tcp", options.address)
	check(err)
	go c.serve(listener)
	for !c.ready() {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(listener.Addr())
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		if questions.Text() == "settle" { // give back unused memory
			debug.FreeOSMemory()
		}
		check(json.NewEncoder(os.Stdout).Encode(used(c)))
	}
}

func newContender(name string, options serverOptions) contender {
	switch name {
	case "hub":
		return newHub(options)
	case "baseline":
		return newBaseline(options)
	}
	return newBare(options)
}

func used(c contender) usage {
	var times syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &times))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u := usage{
		CPU:     time.Duration(times.Utime.Nano() + times.Stime.Nano()),
		Heap:    int(memory.HeapAlloc),
		Relays:  c.relays(),
		Dropped: c.dropped(),
	}
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	u.RSS, u.Peak = kibibytes(status, "VmRSS:"), kibibytes(status, "VmHWM:")
	return u
}
