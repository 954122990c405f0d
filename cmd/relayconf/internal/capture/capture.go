// Package capture saves a live auto-configuration stream as a recording: the raw events and comments, the pauses
// between them, and the places where the line dropped.
package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fakes"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/sse"
	"github.com/relayconf/relayconf/internal/stream"
)

// The reasons for an end that is a failure, for errors.Is.
var (
	ErrRejected    = errors.New("the service rejected the auto-configuration key")
	ErrInitTimeout = errors.New("no event came in time")
)

// Options are the stream to capture and the limits.
type Options struct {
	StreamURI       string
	ProtocolVersion int
	Client          *http.Client
	Key             config.AutoConfigKey
	Out             io.Writer    // for the recording, piece by piece
	Fakes           *fakes.Fakes // nil keeps the keys
	ReadTimeout     time.Duration
	RetryRejected   bool          // a rejected key is no reason to end
	InitTimeout     time.Duration // for the first event; 0 is no limit
	Loggers         ldlog.Loggers
}

// Counts are the numbers of recorded events, comments and connections.
type Counts struct{ Events, Comments, Connections int }

// Capture is a running capture. It owns its goroutines, which end before Done is closed.
type Capture struct {
	options Options
	out     recorder
	done    chan struct{}
	counts  Counts
	err     error
	open    bool // a connection is up, and its end is a drop

	mu   sync.Mutex
	key  config.AutoConfigKey
	line *stream.Line // nil before the first connection
}

// Start captures until the context ends, which is no failure, or until there is no use in going on.
func Start(ctx context.Context, options Options) *Capture {
	c := &Capture{options: options, key: options.Key, done: make(chan struct{})}
	c.out = recorder{
		writer: autoconfigtest.NewRecordingWriter(options.Out),
		fakes:  options.Fakes,
		warn:   options.Loggers.Warnf,
		counts: &c.counts,
	}
	go func() {
		defer close(c.done)
		c.err = c.run(ctx)
	}()
	return c
}

// Done is closed when the capture has ended.
func (c *Capture) Done() <-chan struct{} { return c.done }

// Result returns the counts, and why the capture ended if that is a failure. Call it after Done.
func (c *Capture) Result() (Counts, error) { return c.counts, c.err }

// SetKey reconnects with another key.
func (c *Capture) SetKey(key config.AutoConfigKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hide(key)
	c.key = key
	if c.line != nil {
		c.line.SetKey(key)
	}
}

// hide makes sure that a key gets a fake wherever it comes back.
func (c *Capture) hide(key config.AutoConfigKey) {
	if c.options.Fakes != nil {
		c.options.Fakes.Key(string(key))
	}
}

func (c *Capture) run(ctx context.Context) error {
	url, err := stream.URL(c.options.StreamURI, c.options.ProtocolVersion)
	if err != nil {
		return err
	}
	if err := c.out.begun(time.Now()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.options.InitTimeout > 0 {
		timer := time.AfterFunc(c.options.InitTimeout, func() { cancel(ErrInitTimeout) })
		defer timer.Stop()
		c.out.first = func() { timer.Stop() }
	}
	line := c.connect(ctx, url)
	defer func() { cancel(nil); <-line.Done() }()
	for {
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrInitTimeout) {
				return fmt.Errorf("%w, which is %s", ErrInitTimeout, c.options.InitTimeout)
			}
			return nil
		case signal := <-line.Signals():
			if err := c.handle(signal, url.Host); err != nil {
				return err
			}
		}
	}
}

func (c *Capture) connect(ctx context.Context, url *url.URL) *stream.Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hide(c.key)
	c.line = stream.Open(ctx, stream.Options{
		URL:              url,
		Client:           c.options.Client,
		Key:              c.key,
		ReadTimeout:      c.options.ReadTimeout,
		MaxEventSize:     autoconfig.DefaultMaxEventSize,
		RetryRejectedKey: c.options.RetryRejected,
		Names:            sse.Names{Bare: autoconfig.ReconnectEvent},
	})
	return c.line
}

// handle records a signal. An error is the end.
func (c *Capture) handle(signal *stream.Signal, host string) error {
	switch signal.Kind {
	case stream.Opened:
		c.options.Loggers.Infof("Recording the stream of %s", host)
		c.open = true
		c.out.opened(time.Now())
		signal.Proceed(stream.Verdict{Fed: true}) // a stream of comments alone is worth recording, too
	case stream.Received:
		verdict, err := c.received(signal)
		if err != nil {
			return err
		}
		signal.Proceed(verdict)
	case stream.Lost:
		if err := c.lost(signal); err != nil {
			return err
		}
		signal.Proceed(stream.Verdict{})
	case stream.Failed:
		signal.Proceed(stream.Verdict{})
		return fmt.Errorf("%w: %w", ErrRejected, signal.Failure.Err)
	}
	return nil
}

func (c *Capture) received(signal *stream.Signal) (stream.Verdict, error) {
	verdict := stream.Verdict{Applied: true}
	item := signal.Item
	for more := true; more; item, more = signal.Next() {
		if err := c.out.item(item, time.Now()); err != nil {
			return verdict, err
		}
		if item.Kind == sse.Event && item.Name == autoconfig.ReconnectEvent {
			c.open = false // in the recording, the event itself ends the connection
			verdict.Reconnect = true
			return verdict, nil
		}
	}
	return verdict, nil
}

// lost records the end of a connection. Another status than 200 becomes part of the recording, unless it speaks of the
// key, which is of no interest to those who use the recording.
func (c *Capture) lost(signal *stream.Signal) error {
	wasOpen := c.open
	c.open = false
	failure := signal.Failure
	if failure != nil {
		c.options.Loggers.Warnf("Recording: %s; connecting again in %s", failure.Err, signal.Delay.Round(time.Millisecond))
	}
	switch {
	case wasOpen:
		return c.out.dropped(time.Now())
	case failure == nil || failure.Rejected || failure.Status == 0 || failure.Status == http.StatusOK:
		return nil
	}
	return c.out.refused(failure.Status)
}
