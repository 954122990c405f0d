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
	// stderrGrace is how long the last words may take to print.
	stderrGrace = 2 * time.Second
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

// stderr is where everything that people read goes, but what commands are for. It never blocks.
var stderr = terminal.Writer(stderrPrinter)

func flushStderr() {
	ctx, cancel := context.WithTimeout(context.Background(), stderrGrace)
	defer cancel()
	stderrPrinter.Flush(ctx)
}
