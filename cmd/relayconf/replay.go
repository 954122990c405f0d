package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/keysource"
	"github.com/relayconf/relayconf/config"
)

var replayHelp = `Serves a recording as an auto-configuration service, for tests of a relay. FILE is what "relayconf record"
or "curl -N" saved; - is standard input. It prints its URL, and a line for each connection, and ends
with Ctrl-C.

A recording is plain text: the stream itself. Comment lines that start with ":!" are not sent, but obeyed:
  :!recorded 2026-11-20T12:00:00Z   when it was recorded, for --shift-times
  :!pause 1.5s                      wait
  :!drop                            end the connection; the next one goes on from here
  :!status 503                      answer the next request with this status

Any key is accepted, unless --key or --key-file says which. AUTO_CONFIG_KEY is for the clients, and is not
read here.

` + exitCodesHelp(exitInterrupted)

const replayExample = `  # Serve a recording, and follow it in another terminal
  relayconf replay mine.sse
  STREAM_URI=http://127.0.0.1:8030 AUTO_CONFIG_KEY=rel-anything relayconf watch

  # Ten times as fast, over and over, with expiry times as if it were recorded now
  relayconf replay mine.sse --speed 10 --loop --shift-times`

type replayOptions struct {
	addr    string
	key     string
	keyFile string
	replay  autoconfigtest.ReplayOptions
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:     "replay FILE",
		Short:   "Serve a recording as an auto-configuration service",
		Long:    replayHelp,
		Example: replayExample,
		Args:    arguments("FILE"),
		RunE:    command(func(_ *cobra.Command, args []string) error { return replay(args[0], o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8030", "`address` to listen on; port 0 picks a free one")
	flags.Float64Var(&o.replay.Speed, "speed", 1, "how many times as fast; inf leaves out the pauses")
	flags.BoolVar(&o.replay.Loop, "loop", false, "start over when it has been played")
	flags.Var(atLeast(0, &o.replay.KeepAlive), "keepalive", "send a comment this often when nothing is left to play; 0 sends none")
	flags.BoolVar(&o.replay.ShiftTimes, "shift-times", false,
		"move the expiry times of keys, as if the recording had been made now; it must say when it was made")
	flags.StringVar(&o.key, "key", "", "the only `key` that is accepted: a made-up one, for others can see it; a real one belongs in --key-file")
	flags.StringVar(&o.keyFile, "key-file", "", "`file` that holds the only key that is accepted")
	markExclusive(cmd, "key", "key-file")
	return cmd
}

func replay(path string, o replayOptions) error {
	if _, err := readEnvironment(); err != nil {
		return err
	}
	recording, err := readRecording(path)
	if err != nil {
		return withCode(exitUsage, err)
	}
	if o.replay.Key, err = acceptedKey(o); err != nil {
		return withCode(exitUsage, err)
	}
	if o.replay.Speed == 0 {
		return usageError("the speed of a replay must be positive, not 0")
	}
	if err := o.replay.Validate(recording); err != nil {
		return withCode(exitUsage, err)
	}
	signals := catchSignals(context.Background(), "")
	defer signals.end()
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return listenError("addr", o.addr, fmt.Errorf("can't listen on %s: %w", o.addr, err))
	}
	player := recording.Handler(o.replay)
	server := &http.Server{Handler: &connectionLog{next: player, out: os.Stdout}, ReadHeaderTimeout: 10 * time.Second}
	url := reachableURL(listener.Addr())
	fmt.Fprintf(os.Stdout, "Serving %s on %s\nTo follow it: STREAM_URI=%s AUTO_CONFIG_KEY=rel-... relayconf watch\n", path, url, url)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("the server failed: %w", err)
	case <-signals.stop.Done():
	}
	_ = server.Close()
	<-failed
	return nil
}

func readRecording(path string) (*autoconfigtest.Recording, error) {
	var in io.Reader = os.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("could not open the recording: %w", err)
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("could not read the recording: %w", err)
	}
	if !streamLine.Match(text) {
		return nil, fmt.Errorf("%s is not a recording of a stream: it has no comment, and no data of an event", path)
	}
	return autoconfigtest.ParseRecording(bytes.NewReader(text))
}

// streamLine is a comment, a directive, or data of an event: a recording without any has nothing to serve.
var streamLine = regexp.MustCompile(`(?:^\x{FEFF}?|[\r\n])(?::|data)`)

func acceptedKey(o replayOptions) (config.AutoConfigKey, error) {
	key, err := keysource.Read(o.keyFile, config.AutoConfigKey(o.key))
	if errors.Is(err, keysource.ErrNoKey) {
		return "", nil // any
	}
	return key, err
}

// reachableURL names this machine if the server listens on all its addresses.
func reachableURL(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", tcp.Port)
	}
	return "http://" + addr.String()
}

// connectionLog prints a line when a request is answered and when its connection ends.
type connectionLog struct {
	next http.Handler
	out  io.Writer

	mu    sync.Mutex
	count int
}

func (l *connectionLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.count++
	number := l.count
	l.mu.Unlock()
	started := time.Now()
	answer := &statusWriter{ResponseWriter: w, answered: func(status int) {
		l.print("connection %d from %s: %d %s", number, r.RemoteAddr, status, http.StatusText(status))
	}}
	defer func() { l.print("connection %d ended after %s", number, time.Since(started).Round(time.Millisecond)) }()
	l.next.ServeHTTP(answer, r)
}

func (l *connectionLog) print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s  %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
}

// statusWriter tells of the status of a response.
type statusWriter struct {
	http.ResponseWriter
	answered func(status int)
}

func (w *statusWriter) WriteHeader(status int) {
	w.answered(status)
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController, with which the replay flushes.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
