package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// sameSignal is how long after the first Ctrl-C or SIGTERM another one still counts as the first: timeout, some shells and
// supervisors signal the process and then its group, so that it comes twice. A person takes longer to press Ctrl-C again.
const sameSignal = 250 * time.Millisecond

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
		if !stopTwice(stops, ended, cancel) {
			return
		}
		if do := last.Load(); do != nil {
			(*do)()
		}
		flushStderr(stderrHurry)
		os.Exit(exitInterrupted)
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

// stopTwice calls stop at the first signal, and returns true at the second one, or false when ended is closed.
func stopTwice(stops <-chan os.Signal, ended <-chan struct{}, stop func()) bool {
	var first time.Time
	for {
		select {
		case <-stops:
		case <-ended:
			return false
		}
		switch {
		case first.IsZero():
			first = time.Now()
			stop()
		case time.Since(first) >= sameSignal:
			return true
		}
	}
}
