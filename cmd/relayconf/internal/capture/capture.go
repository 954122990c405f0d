// Package capture saves a live auto-configuration stream as a recording: the raw events and comments, the pauses
// between them, and the places where the line dropped.
package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fakes"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/handshake"
)

// The reasons for an end that is a failure, for errors.Is.
var (
	ErrRejected    = errors.New("the service rejected the auto-configuration key")
	ErrInitTimeout = errors.New("no event came in time")
)

// Options says what to capture, and how.
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

// Counts says what was recorded.
type Counts struct{ Events, Comments, Connections int }

// Capture is a running capture. It owns its goroutines, which end before Done is closed.
type Capture struct {
	options Options
	url     *url.URL
	out     recorder
	done    chan struct{}
	counts  Counts
	err     error

	mu         sync.Mutex
	key        config.AutoConfigKey
	disconnect context.CancelCauseFunc // ends the connection or the wait that is under way
}

// Waits between connections: the first after firstRetry, doubled up to lastRetry, up to half of it taken off at
// random, and back to the first after a connection that lasted for healthyAfter. A rejected key waits for as long as
// rejectedRetry: it won't mend by itself soon.
const (
	firstRetry    = time.Second
	lastRetry     = 30 * time.Second
	rejectedRetry = 5 * time.Minute
	healthyAfter  = time.Minute
)

var (
	errKeyChanged = errors.New("the key was changed")
	errAsked      = errors.New("the service asks for a new connection")
)

// Start captures until the context ends, which is no failure, or until there is no use in going on.
func Start(ctx context.Context, options Options) *Capture {
	c := &Capture{options: options, key: options.Key, done: make(chan struct{}), disconnect: func(error) {}}
	c.out = recorder{
		writer: autoconfigtest.NewRecordingWriter(options.Out),
		fakes:  options.Fakes,
		warn:   options.Loggers.Warnf,
		counts: &c.counts,
	}
	go func() {
		defer close(c.done)
		defer options.Client.CloseIdleConnections()
		c.err = c.run(ctx)
	}()
	return c
}

// Done is closed when the capture has ended.
func (c *Capture) Done() <-chan struct{} { return c.done }

// Result returns what was recorded, and why the capture ended if that is a failure. Call it after Done.
func (c *Capture) Result() (Counts, error) { return c.counts, c.err }

// SetKey reconnects with another key.
func (c *Capture) SetKey(key config.AutoConfigKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = key
	c.disconnect(errKeyChanged)
}

func (c *Capture) run(ctx context.Context) error {
	var err error
	if c.url, err = handshake.URL(c.options.StreamURI, c.options.ProtocolVersion); err != nil {
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
	for delay := firstRetry; ; {
		attempt, key := c.begin(ctx)
		started := time.Now()
		err := c.follow(attempt, key)
		var failed *writeError
		switch {
		case errors.As(err, &failed):
			return err
		case errors.Is(context.Cause(ctx), ErrInitTimeout):
			return fmt.Errorf("%w, which is %s", ErrInitTimeout, c.options.InitTimeout)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrRejected) && !c.options.RetryRejected:
			return err
		}
		if time.Since(started) >= healthyAfter || errors.Is(err, errKeyChanged) || errors.Is(err, errAsked) {
			delay = firstRetry
		}
		wait := delay
		if errors.Is(err, ErrRejected) {
			wait = rejectedRetry
		}
		wait -= time.Duration(rand.Float64() * float64(wait) / 2)
		c.options.Loggers.Warnf("Recording: %s; connecting again in %s", err, wait.Round(time.Millisecond))
		sleep(attempt, wait) // not at all if the key was changed
		delay = min(2*delay, lastRetry)
	}
}

// begin makes the context of the next connection and of the wait after it, both of which SetKey ends.
func (c *Capture) begin(ctx context.Context) (context.Context, config.AutoConfigKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnect(nil) // frees the one before
	attempt, cancel := context.WithCancelCause(ctx)
	c.disconnect = cancel
	return attempt, c.key
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
