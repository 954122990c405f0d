package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fatih/color"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/printer"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/show"
)

const (
	// stdoutLimit is how many bytes may wait for a reader of standard output: the lines of a hundred thousand environments as
	// text, or of thirty thousand as JSON.
	stdoutLimit = 16 << 20
	// stdoutGrace is how long the last lines may take to print, which never ends if nobody reads them.
	stdoutGrace = 2 * time.Second
)

// stdout prints changes on standard output. It never waits for a reader.
type stdout struct {
	*printer.Printer
	format  func(change.Change) []byte // returns nil for changes that are not shown
	once    bool
	loggers ldlog.Loggers
	closed  chan struct{} // closed when nobody can read standard output any more
	onClose sync.Once
}

func newStdout(o watchOptions, loggers ldlog.Loggers) *stdout {
	s := &stdout{format: newFormat(o), once: o.once, loggers: loggers, closed: make(chan struct{})}
	limit := stdoutLimit
	if o.once {
		limit = 0 // the lines of one configuration are bounded, and a script needs all of them
	}
	s.Printer = printer.New(printer.Options{
		Out:   color.Output,
		Limit: limit,
		LeftOut: func(lines int) []byte {
			return s.format(change.Change{Time: time.Now(), Kind: change.LeftOut, Lines: lines})
		},
		Failed: s.failed,
		Recovered: func() {
			loggers.Info("Standard output can be written again")
		},
	})
	return s
}

// newFormat returns the function that formats a change as the flags say.
func newFormat(o watchOptions) func(change.Change) []byte {
	line := func(c change.Change) []byte { return change.JSON(c, envjson.Masked) }
	if o.format != "json" {
		text := show.Text{}
		if onTerminal := !color.NoColor; onTerminal { // it minds NO_COLOR and TERM=dumb too
			text = show.Text{Colour: true, Layout: show.ClockOnly}
		}
		line = func(c change.Change) []byte { return []byte(text.Line(c)) }
	}
	return func(c change.Change) []byte {
		if c.Kind == change.KeepAlive && !o.verbose {
			return nil
		}
		return line(c)
	}
}

// print queues the line of a change.
func (s *stdout) print(c change.Change) {
	if line := s.format(c); line != nil {
		_, _ = s.Write(line)
	}
}

func (s *stdout) failed(err error) {
	if isClosedPipe(err) {
		s.onClose.Do(func() { close(s.closed) })
		return
	}
	s.loggers.Errorf("Could not print changes: %s; going on without, and trying again with each further change", err)
}

// end waits for the last lines: with --once until there is a signal, and else for a moment. It adds to the reason for the
// end that lines are missing, if somebody waits for a whole output.
func (s *stdout) end(stop context.Context, reason error) error {
	if !s.once || reason != nil || stop.Err() != nil {
		var cancel context.CancelFunc
		stop, cancel = context.WithTimeout(context.Background(), stdoutGrace)
		defer cancel()
	}
	missing := s.Flush(stop)
	switch {
	case isClosed(s.closed) && reason == nil:
		return errClosedOutput
	case missing == 0 || isClosed(s.closed):
		return reason
	case !s.once || reason != nil:
		s.loggers.Warnf("%d lines were not printed", missing)
		return reason
	case stop.Err() != nil:
		return withCode(exitInterrupted, fmt.Errorf("interrupted before %d lines were printed", missing))
	default:
		return fmt.Errorf("%d lines were not printed: %w", missing, s.Err())
	}
}
