package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals are what people and supervisors tell the process.
type signals struct {
	stop context.Context // ends at the first Ctrl-C or SIGTERM
	hup  chan os.Signal  // SIGHUP; never on Windows
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
			os.Exit(exitInterrupted)
		case <-ended:
		}
	}()
	return signals{stop: stop, hup: hup, end: func() {
		signal.Stop(stops)
		signal.Stop(hup)
		close(ended)
		<-watching
		cancel()
	}}
}
