package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/printer"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

const (
	stderrLimit = 1 << 20
	// stderrGrace is how long the last words may take to print, and stderrHurry how long after a second Ctrl-C.
	stderrGrace = 2 * time.Second
	stderrHurry = 100 * time.Millisecond
)

// stderrPrinter prints on standard error, which can stall as standard output can: the two are often one terminal.
var stderrPrinter = printer.New(printer.Options{
	Out:   os.Stderr,
	Limit: stderrLimit,
	LeftOut: func(lines int) []byte {
		return fmt.Appendf(nil, "%s WARN: %d lines were left out, as standard error was not read in time\n",
			time.Now().UTC().Format(terminal.TimeLayout), lines)
	},
})

// stderr takes the log and all messages. It never blocks.
var stderr = terminal.Writer(stderrPrinter)

// flushStderr waits until everything is printed, but no longer than the grace.
func flushStderr(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	stderrPrinter.Flush(ctx)
}
