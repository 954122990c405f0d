// Package output keeps a JSON file of everything that is configured, for a relay that reads a file. The file holds
// whole keys. It is replaced in one step: a reader sees the old content or the new, and never a part.
package output

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

// The default times of a Writer.
const (
	// coalesce is how long a change waits for others that come with it: each write takes an fsync or two.
	coalesce = 50 * time.Millisecond
	// A write that failed is tried again after firstRetry, doubled up to lastRetry; sooner if there is a change.
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// Options are the settings of a Writer.
type Options struct {
	Path string
	// Mode is the mode of the file. 0: that of the file which is replaced, or 0600.
	Mode fs.FileMode
	// Snapshot returns the present configuration, or false if it is not whole yet: a Changed has to follow then.
	Snapshot func() (change.Snapshot, bool)
	// Report is called with each failure, and Recovered after the first success that follows one.
	Report, Recovered func(format string, args ...any)
}

// Writer owns one goroutine, which ends with Close.
type Writer struct {
	options Options
	changed chan struct{}   // holds one token while there is something to write
	flush   chan chan error // asks for the file to be current, and for the outcome
	closing chan chan error
	ended   chan struct{}

	// These belong to the goroutine.
	timer      *time.Timer
	stale      bool
	coalescing bool          // the timer runs for a change, not for a new try
	retry      time.Duration // the wait after the latest failure; 0 after a success
	flushing   []chan error  // who waits for the file to be current
	groupLost  bool          // it was reported that the group could not be kept
}

// Start starts a writer. It writes nothing until the first Changed.
func Start(options Options) *Writer {
	w := &Writer{
		options: options,
		changed: make(chan struct{}, 1),
		flush:   make(chan chan error),
		closing: make(chan chan error),
		ended:   make(chan struct{}),
		timer:   time.NewTimer(time.Hour),
	}
	w.timer.Stop()
	go w.run()
	return w
}

// Changed says that the file is not current. It never blocks. The write follows shortly, for all changes until then, once
// the configuration is whole.
func (w *Writer) Changed() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Flush writes the file if it is stale, once the configuration is whole, and returns when the file is current, or an error if
// it can't be. It does nothing if nothing has changed since the last write that succeeded, or after Close.
func (w *Writer) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case w.flush <- done:
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes the file if it is stale, and ends the writer. A configuration that is not whole is not written. It must be called
// once.
func (w *Writer) Close() error {
	done := make(chan error, 1)
	w.closing <- done
	<-w.ended
	return <-done
}

func (w *Writer) run() {
	defer close(w.ended)
	defer w.timer.Stop()
	for {
		select {
		case <-w.changed:
			w.stale = true
			if len(w.flushing) > 0 {
				w.writeForFlush()
			} else if !w.coalescing {
				w.timer.Reset(coalesce)
				w.coalescing = true
			}
		case <-w.timer.C:
			w.coalescing = false
			w.writeInTime()
		case done := <-w.flush:
			w.flushing = append(w.flushing, done)
			w.takeChanged()
			w.writeForFlush()
		case done := <-w.closing:
			w.takeChanged()
			err := w.write()
			if errors.Is(err, errNotWhole) {
				err = nil
			}
			w.answer(err)
			done <- err
			return
		}
	}
}

func (w *Writer) takeChanged() {
	select {
	case <-w.changed:
		w.stale = true
	default:
	}
}

// writeInTime writes because a timer has gone off, and reports a failure.
func (w *Writer) writeInTime() {
	if err := w.write(); err != nil && !errors.Is(err, errNotWhole) {
		w.options.Report("%v; the next try is at the next change, or in %s", err, w.retry)
	}
}

// writeForFlush writes because somebody waits for it, who is told of a failure.
func (w *Writer) writeForFlush() {
	if err := w.write(); !errors.Is(err, errNotWhole) {
		w.answer(err)
	}
}

func (w *Writer) answer(err error) {
	for _, done := range w.flushing {
		done <- err
	}
	w.flushing = nil
}

// errNotWhole means that nothing was written, and that a change will follow which makes the configuration whole.
var errNotWhole = errors.New("the configuration is not whole")

// write makes the file current.
func (w *Writer) write() error {
	if !w.stale {
		return nil
	}
	snapshot, whole := w.options.Snapshot()
	if !whole {
		return errNotWhole
	}
	if err := w.replace(snapshot); err != nil {
		w.retry = min(max(2*w.retry, firstRetry), lastRetry)
		w.timer.Reset(w.retry)
		return err
	}
	if w.retry > 0 {
		w.options.Recovered("the output file is written again")
	}
	w.stale, w.retry = false, 0
	return nil
}
