package keyfile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
)

// patience is how long Start waits for a file that is being written.
const patience = 10 * time.Second

// Options says which file to read, and who uses the keys.
type Options struct {
	Path   string
	Apply  func([]Key) error // gets the keys, at the start and after each change
	Logger *slog.Logger
}

// File is a key file that is reread when it changes. It owns one goroutine, which ends with Close.
type File struct{ watcher *filewatch.Watcher }

// Start applies the keys before it returns. Later mistakes in the file are logged, and leave the keys as they are.
func Start(ctx context.Context, options Options) (*File, error) {
	before := filewatch.Take(options.Path)
	if err := firstRead(ctx, options); err != nil {
		return nil, err
	}
	return &File{filewatch.Start(before, func() error {
		err := apply(options)
		switch {
		case err == nil:
			options.Logger.Info("Read the key file again", "path", options.Path)
		case !errors.Is(err, filewatch.ErrBeingWritten):
			report(options, err)
		}
		return err
	})}, nil
}

// Close ends the rereading. It may be called twice.
func (f *File) Close() { f.watcher.Close() }

func firstRead(ctx context.Context, options Options) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := apply(options)
		if !errors.Is(err, filewatch.ErrBeingWritten) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

func apply(options Options) error {
	keys, err := Read(options.Path)
	if err != nil {
		return err
	}
	return options.Apply(keys)
}

func report(options Options, err error) {
	const text = "The key file has a mistake; the keys stay as they were"
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		options.Logger.Error(text, "error", err)
		return
	}
	for _, line := range problems.Lines() {
		options.Logger.Error(text, "error", line)
	}
}
