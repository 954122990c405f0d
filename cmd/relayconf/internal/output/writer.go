// Package output keeps a JSON file of everything that is configured, for a relay that reads a file. The file holds
// whole keys, so only its owner may read it. It is replaced in one step: a reader sees the old content or the new.
package output

import (
	"encoding/json"
	"io"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/atomicfile"
)

// The first two fields of the file say what it is. A version is a promise: fields may be added under it; anything else
// raises it.
const (
	Format  = "relayconf-environments"
	Version = 1
)

// The default times of a Writer.
const (
	// coalesce is how long a change waits for others that come with it: a configuration of thousands of environments
	// comes as thousands of changes, and each write takes an fsync or two.
	coalesce = 50 * time.Millisecond
	// A write that failed is tried again after firstRetry, doubled up to lastRetry; sooner if there is a change.
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// File is the content of the file.
type File struct {
	Format       string                `json:"format"`
	Version      int                   `json:"version"`
	WrittenAt    envjson.Time          `json:"writtenAt"`
	Environments []envjson.Environment `json:"environments"` // sorted by id; keys are whole
	Filters      []envjson.Filter      `json:"filters"`      // sorted by id
}

// Options says what to write, and where.
type Options struct {
	Path string
	// Snapshot returns what is configured at the moment.
	Snapshot func() ([]envfactory.EnvironmentParams, []envfactory.FilterParams)
	Report   func(format string, args ...any)
}

// Writer owns one goroutine, which ends with Close.
type Writer struct {
	options Options
	changed chan struct{}   // holds one token while there is something to write
	flush   chan chan error // asks for the file to be current, and for the outcome
	closing chan struct{}
	ended   chan struct{}
}

// Start starts a writer. It writes nothing until the first Changed.
func Start(options Options) *Writer {
	w := &Writer{
		options: options,
		changed: make(chan struct{}, 1),
		flush:   make(chan chan error),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go w.run()
	return w
}

// Changed says that the file is not current. It never blocks. The write follows shortly, for all changes until then.
func (w *Writer) Changed() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Flush writes what has changed, and returns once the file is current, or an error if it can't be. It does nothing if
// nothing has changed since the last write that succeeded.
func (w *Writer) Flush() error {
	done := make(chan error, 1)
	select {
	case w.flush <- done:
		return <-done
	case <-w.ended:
		return nil
	}
}

// Close flushes, and ends the writer. It must be called once.
func (w *Writer) Close() error {
	err := w.Flush()
	close(w.closing)
	<-w.ended
	return err
}

func (w *Writer) run() {
	defer close(w.ended)
	timer := time.NewTimer(0)
	if !timer.Stop() {
		<-timer.C
	}
	defer timer.Stop()
	stale, coalescing := false, false // coalescing: the timer runs for a change, not for a new try
	retry := time.Duration(0)         // the wait after the latest failure; 0 after a success
	write := func() error {
		err := w.write()
		if err == nil {
			if retry > 0 {
				w.options.Report("the output file is written again")
			}
			stale, retry = false, 0
			return nil
		}
		retry = min(max(2*retry, firstRetry), lastRetry)
		timer.Reset(retry)
		return err
	}
	report := func(err error) {
		if err != nil {
			w.options.Report("%v; the next try is at the next change, or in %s", err, retry)
		}
	}
	for {
		select {
		case <-w.changed:
			if !coalescing {
				timer.Reset(coalesce)
			}
			stale, coalescing = true, true
		case <-timer.C:
			coalescing = false
			if stale {
				report(write())
			}
		case done := <-w.flush:
			select {
			case <-w.changed:
				stale = true
			default:
			}
			if stale {
				done <- write()
			} else {
				done <- nil
			}
		case <-w.closing:
			return
		}
	}
}

func (w *Writer) write() error {
	envs, filters := w.options.Snapshot()
	return atomicfile.WriteFunc(w.options.Path, func(out io.Writer) error {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(content(envs, filters, time.Now()))
	})
}

func content(envs []envfactory.EnvironmentParams, filters []envfactory.FilterParams, now time.Time) File {
	file := File{
		Format:       Format,
		Version:      Version,
		WrittenAt:    envjson.Time(now),
		Environments: make([]envjson.Environment, 0, len(envs)),
		Filters:      make([]envjson.Filter, 0, len(filters)),
	}
	for _, env := range envs {
		file.Environments = append(file.Environments, envjson.FromEnvironment(env, envjson.Whole))
	}
	for _, filter := range filters {
		file.Filters = append(file.Filters, envjson.FromFilter(filter))
	}
	return file
}
