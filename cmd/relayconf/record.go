package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/capture"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fakes"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
)

var recordHelp = `Saves a live auto-configuration stream with its pauses, for "relayconf replay". FILE is created with mode 0600; - is
standard output. It goes on when the line drops, which the recording shows too, and ends with Ctrl-C or after
the --duration.

Keys are replaced by fakes of the same form, such as sdk-fa4e0000-0000-4000-8000-000000000001. The same key has the same
fake throughout, so a rotation stays a rotation. What is a key is told by the structure of the events: the values in
sdkKey, mobKey, sdkKeys and mobileKeys, and any other text that starts as keys do. An event that is not JSON can't be
searched, and is left out. Names, ids and all else stay as they are. --keep-keys keeps everything: such a recording is
as secret as the keys in it.

` + exitCodesHelp(exitPermanent, exitInitTimeout, exitInterrupted)

const recordExample = `  AUTO_CONFIG_KEY=rel-... relayconf record mine.sse
  relayconf record mine.sse --force --key-file key --duration 10m`

type recordOptions struct {
	streamOptions
	keepKeys bool
	force    bool
	duration time.Duration
}

func newRecord() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:     "record FILE",
		Short:   "Save a live stream, with fakes for its keys",
		Long:    recordHelp,
		Example: recordExample,
		Args:    arguments("FILE"),
		RunE: command(func(cmd *cobra.Command, args []string) error {
			return record(args[0], o, cmd.Flags().Changed("init-timeout"))
		}),
	}
	flags := cmd.Flags()
	addStreamFlags(flags, &o.streamOptions, "event")
	flags.BoolVar(&o.keepKeys, "keep-keys", false, "keep the keys as they are")
	flags.BoolVarP(&o.force, "force", "f", false, "replace the file if it exists")
	flags.Var(atLeast(0, &o.duration), "duration", "end after this time; 0 is no limit")
	_ = cmd.MarkFlagFilename("key-file")
	completeProtocolVersion(cmd)
	return cmd
}

func record(path string, o recordOptions, initTimeoutSet bool) error {
	s, err := loadSettings(o.keyFile, logging.Text)
	if err != nil {
		return err
	}
	if !initTimeoutSet {
		o.initTimeout = s.AutoConfig.InitTimeout
	}
	file, err := openRecording(path, o.force)
	if err != nil {
		return withCode(exitUsage, err)
	}
	options := capture.Options{
		StreamURI:       s.AutoConfig.StreamURI,
		ProtocolVersion: o.protocolVersion,
		Client:          s.http.Client(),
		Key:             s.key,
		Out:             file,
		ReadTimeout:     o.readTimeout,
		RetryRejected:   o.retryRejectedKey,
		InitTimeout:     o.initTimeout,
		Loggers:         s.loggers,
	}
	if !o.keepKeys {
		options.Fakes = fakes.New()
	}
	counts, err := runCapture(s, options, o.duration)
	if closeErr := closeRecording(file, path, counts); err == nil {
		err = closeErr
	}
	fmt.Fprintf(stderr, "Recorded %d events and %d comments on %d connections\n", counts.Events, counts.Comments, counts.Connections)
	return err
}

// runCapture captures until a signal, the end of the duration, or a failure.
func runCapture(s settings, options capture.Options, duration time.Duration) (capture.Counts, error) {
	signals := catchSignals(context.Background(), s.keyFile)
	defer signals.end()
	ctx := signals.stop
	if duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, duration)
		defer cancel()
	}
	keys := s.keyChanges(ctx, signals.hup)
	running := capture.Start(ctx, options)
	for {
		select {
		case key := <-keys:
			running.SetKey(key)
		case <-running.Done():
			counts, err := running.Result()
			switch {
			case errors.Is(err, capture.ErrRejected):
				err = withCode(exitPermanent, err)
			case errors.Is(err, capture.ErrInitTimeout):
				err = withCode(exitInitTimeout, err)
			}
			return counts, err
		}
	}
}

// openRecording makes a file that only its owner may read. With --keep-keys it holds secrets.
func openRecording(path string, force bool) (*os.File, error) {
	if path == "-" {
		return os.Stdout, nil
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists; choose another name, or replace it with --force", path)
	}
	if err != nil {
		return nil, fmt.Errorf("could not create the recording: %w", err)
	}
	if force {
		info, err := file.Stat()
		if err == nil && info.Mode().IsRegular() {
			err = errors.Join(file.Chmod(0o600), file.Truncate(0))
		}
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("could not replace the recording: %w", err)
		}
	}
	return file, nil
}

// closeRecording removes a file that nothing came for, so that the next try does not find it in its way.
func closeRecording(file *os.File, path string, counts capture.Counts) error {
	if file == os.Stdout {
		return nil
	}
	info, err := file.Stat()
	regular := err == nil && info.Mode().IsRegular()
	if counts.Connections == 0 && regular {
		return errors.Join(file.Close(), os.Remove(path))
	}
	if regular {
		if err := file.Sync(); err != nil {
			_ = file.Close()
			return fmt.Errorf("could not save the recording: %w", err)
		}
	}
	return file.Close()
}
