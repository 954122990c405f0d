//go:build linux

package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cases are the measurements, in the order of the report.
var cases = []struct {
	name string
	run  func(*report)
}{
	{"connect", connectCase},
	{"reconnect", reconnectCase},
	{"patch", patchCase},
	{"idle", idleCase},
	{"stalled", stalledCase},
	{"latency", latencyCase},
	{"scale", scaleCase},
	{"herd", herdCase},
	{"soak", soakCase},
}

func main() {
	log.SetFlags(log.Ltime)
	serve := flag.String("serve", "", "serve as this contender; used for the processes that this one starts")
	upstream := flag.String("upstream", "", "the address to follow, with -serve")
	address := flag.String("address", "127.0.0.1:0", "the address to serve at, with -serve")
	cache := flag.String("cache", "", "the file to keep the configuration in, with -serve")
	admission := flag.Bool("admission", false, "keep the default admission, with -serve")
	only := flag.String("only", "", "run these cases only, separated by commas")
	charts := flag.String("charts", "docs", "the folder to draw charts in")
	flag.Parse()
	raiseFileLimit()
	if *serve != "" {
		serveAs(*serve, serverOptions{*upstream, *address, *cache, *admission})
		return
	}
	r := &report{charts: *charts}
	for _, c := range cases {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), c.name) {
			continue
		}
		start := time.Now()
		c.run(r)
		log.Printf("%s took %.0f s; load of the machine: %s", c.name, time.Since(start).Seconds(), load())
	}
}

// load is the load average over the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	check(err)
	average, _, _ := strings.Cut(string(text), " ")
	return average
}

// files is how many connections and files a process may need.
const files = 20_000

// raiseFileLimit raises the limit of open files as far as needed and allowed.
func raiseFileLimit() {
	var limit syscall.Rlimit
	check(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur = max(limit.Cur, min(limit.Max, files))
	if limit.Cur < files {
		limit.Cur, limit.Max = files, files // root may do that
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
			return
		}
		check(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
		limit.Cur = limit.Max
	}
	check(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
}

// check ends the program if something went wrong: figures that follow would mean nothing.
func check(err error) {
	if err != nil {
		log.Output(2, fmt.Sprint("hubbench: ", err))
		os.Exit(1)
	}
}
