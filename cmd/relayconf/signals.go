package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// signals are what people and supervisors tell the process.
type signals struct {
	stop context.Context         // ends at the first Ctrl-C or SIGTERM
	hup  chan os.Signal          // SIGHUP; never on Windows
	last *atomic.Pointer[func()] // what to do before a second Ctrl-C or SIGTERM ends the process; nil for nothing
	end  func()
}

// catchSignals catches signals until end is called. A second Ctrl-C or SIGTERM ends the process at once.
func catchSignals(parent context.Context) signals {
	stop, cancel := context.WithCancel(parent)
	stops, hup := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(stops, os.Interrupt, syscall.SIGTERM)
	if reload != nil {
		signal.Notify(hup, reload)
	}
	last := &atomic.Pointer[func()]{}
	ended, watching := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-stops:
			cancel()
		case <-ended:
			return
		}
		select {
		case <-stops:
			if do := last.Load(); do != nil {
				(*do)()
			}
			os.Exit(exitInterrupted)
		case <-ended:
		}
	}()
	return signals{stop: stop, hup: hup, last: last, end: func() {
		signal.Stop(stops)
		signal.Stop(hup)
		close(ended)
		<-watching
		cancel()
	}}
}
