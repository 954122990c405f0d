package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// signals are the signals from people and supervisors.
type signals struct {
	stop context.Context         // ends at the first Ctrl-C or SIGTERM
	hup  chan os.Signal          // SIGHUP; nil where it keeps its default, which is to end the process
	last *atomic.Pointer[func()] // called before a second Ctrl-C or SIGTERM ends the process; may be nil
	end  func()
}

// catchSignals catches signals until end is called. A second Ctrl-C or SIGTERM ends the process at once. SIGHUP is caught
// only if there is a key file to read again.
func catchSignals(parent context.Context, keyFile string) signals {
	stop, cancel := context.WithCancel(parent)
	stops := make(chan os.Signal, 2)
	signal.Notify(stops, os.Interrupt, syscall.SIGTERM)
	var hup chan os.Signal
	if keyFile != "" && reload != nil {
		hup = make(chan os.Signal, 1)
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
			flushStderr(stderrHurry)
			os.Exit(exitInterrupted)
		case <-ended:
		}
	}()
	return signals{stop: stop, hup: hup, last: last, end: func() {
		signal.Stop(stops)
		if hup != nil {
			signal.Stop(hup)
		}
		close(ended)
		<-watching
		cancel()
	}}
}
