package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/credential"
	"github.com/relayconf/relayconf/internal/sse"
)

// Options are the settings of a Line.
type Options struct {
	URL    *url.URL // see URL
	Client *http.Client
	Key    config.AutoConfigKey

	RetryDelay       time.Duration // base of the fast schedule; 1 s if not positive
	ReadTimeout      time.Duration // longest silence
	MaxEventSize     int           // in bytes, decompressed
	RetryRejectedKey bool          // a rejected key is retried on the slow schedule, rather than the end
	Compressed       bool          // ask for gzip
	Names            sse.Names

	// LastEventID returns the id to resume from: PutNeeded if a put is needed, empty if there is no configuration. Nil is
	// the same as always empty. It is called before each connection, which waits for it; it has to return soon after the
	// line's context has ended.
	LastEventID func() string

	Instance string // the value of InstanceHeader; no header is sent for an empty one
}

// Line keeps one connection up, in one goroutine. Its consumer receives Signals, in one goroutine, and answers each with
// Signal.Proceed. The line waits for that: an item may point into its buffers, and it does not read while the consumer
// works, so that no such time is mistaken for silence. Only while a part of an item is decoded, it reads the next part.
type Line struct {
	options  Options
	ctx      context.Context
	signals  chan *Signal
	verdicts chan Verdict // has room for one, so that a consumer need not wait while the line reads
	done     chan struct{}
	schedule *retrySchedule

	mu         sync.Mutex
	key        config.AutoConfigKey
	keyChanged chan struct{}           // holds a value after SetKey, until the next connection
	drop       context.CancelCauseFunc // ends the connection that is up or being made; nil between connections
	watch      *watch                  // of that connection
}

// The causes of a connection's end that are no failures.
var (
	errKeyChanged = errors.New("the key was changed")
	errReconnect  = errors.New("a new connection was asked for")
)

// Open starts a line. It ends when the context does, or after a failure that is final; Done is closed then.
func Open(ctx context.Context, options Options) *Line {
	l := &Line{
		options:    options,
		ctx:        ctx,
		signals:    make(chan *Signal),
		verdicts:   make(chan Verdict, 1),
		done:       make(chan struct{}),
		schedule:   newRetrySchedule(options.RetryDelay, rand.Float64),
		key:        options.Key,
		keyChanged: make(chan struct{}, 1),
	}
	go func() {
		defer close(l.done)
		defer options.Client.CloseIdleConnections()
		l.run()
	}()
	return l
}

// Signals returns the channel of signals. It is never closed: see Done.
func (l *Line) Signals() <-chan *Signal { return l.signals }

// Done is closed when the line has ended and has closed its connection.
func (l *Line) Done() <-chan struct{} { return l.done }

// SetKey drops the connection and connects with another key at once: the fate of the old key says nothing of the new
// one. It does nothing if the key is the same. Any goroutine.
func (l *Line) SetKey(key config.AutoConfigKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key == l.key {
		return
	}
	l.key = key
	if l.drop != nil {
		l.drop(errKeyChanged)
	}
	select {
	case l.keyChanged <- struct{}{}:
	default:
	}
}

// Reconnect drops the connection, if there is one, and connects again after the delay that follows a loss. Any
// goroutine.
func (l *Line) Reconnect() { l.dropConnection(errReconnect) }

// dropConnection ends the connection, if there is one.
func (l *Line) dropConnection(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drop != nil {
		l.drop(cause)
	}
}

// Pause says that the consumer begins a handler call, and returns the function that says that it has ended. Time in
// between is no silence.
func (l *Line) Pause() (resume func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.watch == nil {
		return func() {}
	}
	l.watch.pause()
	return l.watch.resume
}

func (l *Line) run() {
	for {
		ctx, key := l.begin()
		end := l.follow(ctx, key)
		l.finish(&end)
		if l.ctx.Err() != nil {
			return
		}
		signal := l.lost(end)
		if signal.Kind == Failed {
			if l.fail(signal) {
				return
			}
			signal = l.lost(ending{err: errKeyChanged})
		}
		if !l.tell(l.ctx, signal) || !l.wait(signal.Delay) {
			return
		}
	}
}

// begin makes the context of the next connection.
func (l *Line) begin() (context.Context, config.AutoConfigKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.keyChanged: // this connection has the new key
	default:
	}
	ctx, cancel := context.WithCancelCause(l.ctx)
	l.drop = cancel
	l.watch = newWatch(l.options.ReadTimeout, cancel)
	return ctx, l.key
}

// finish frees the context and the watch of the connection that begin made.
func (l *Line) finish(end *ending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch.stop()
	l.drop(nil)
	l.drop, l.watch = nil, nil
	if !end.healthySince.IsZero() && time.Since(end.healthySince) >= healthyAfter {
		l.schedule.reset()
	}
}

// ending is how a connection ended.
type ending struct {
	err          error
	open         bool      // it was up
	healthySince time.Time // when its first event was applied; zero if none was
}

// follow connects and reads until the connection ends.
func (l *Line) follow(ctx context.Context, key config.AutoConfigKey) (end ending) {
	defer func() {
		if cause := context.Cause(ctx); cause != nil {
			end.err = cause
		}
	}()
	response, err := l.connect(ctx, key)
	if err != nil {
		return ending{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	end.open = true
	reader := sse.NewReader(newBody(response), l.options.MaxEventSize, l.options.Names)
	l.watch.opened(reader)
	signal := &Signal{Kind: Opened, line: l, ctx: ctx, reader: reader, Key: key,
		Resumed: isResumed(response), Compressed: isCompressed(response), Unconfirmed: unconfirmedSince(response, time.Now())}
	received := &Signal{Kind: Received, line: l, ctx: ctx, reader: reader} // used again for each item
	for l.send(ctx, signal) {
		var item sse.Item
		var err error
		readOn := signal.Item.More // while the consumer decodes the part; without, a first put took 1.1 times as long
		if readOn {
			item, err = reader.Next()
		}
		verdict, ok := l.verdict()
		if !ok || ctx.Err() != nil {
			return end
		}
		if verdict.Applied && end.healthySince.IsZero() {
			end.healthySince = time.Now()
		}
		l.watch.proceed(signal.event, verdict.Fed)
		received.Item = sse.Item{} // its data would keep the reader's buffer, which may be large, while the stream is idle
		if !readOn {
			item, err = reader.Next()
		}
		if err != nil {
			end.err = err
			return end
		}
		signal = received
		signal.Item, signal.event = item, false
		signal.see(item)
	}
	return end
}

func (l *Line) connect(ctx context.Context, key config.AutoConfigKey) (*http.Response, error) {
	if err := credential.Check(string(key)); err != nil {
		return nil, fmt.Errorf("%w: it %w", ErrInvalidKey, err)
	}
	resumeFrom := ""
	if l.options.LastEventID != nil {
		resumeFrom = l.options.LastEventID()
	}
	request := newRequest(ctx, l.options.URL, key, resumeFrom, l.options.Compressed)
	if l.options.Instance != "" {
		request.Header.Set(InstanceHeader, l.options.Instance)
	}
	response, err := l.options.Client.Do(request)
	if err != nil {
		return nil, err
	}
	if err := check(response, key); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

// invalidDataError is an event that the consumer could not use.
type invalidDataError struct{ err error }

func (e *invalidDataError) Error() string { return e.err.Error() }

// lost makes the signal for the end of a connection, with the delay before the next one.
func (l *Line) lost(end ending) *Signal {
	signal := &Signal{Kind: Lost, line: l, ctx: l.ctx}
	var invalid *invalidDataError
	var timeout *timeoutError
	switch {
	case errors.Is(end.err, errKeyChanged):
		signal.KeyChanged = true
		l.schedule.reset()
		return signal
	case errors.Is(end.err, errReconnect):
		signal.Delay = l.schedule.afterLoss()
		return signal
	case errors.As(end.err, &invalid):
		signal.Failure = &Failure{Kind: KindInvalidData, Err: invalid.err}
	case errors.As(end.err, &timeout):
		signal.Failure = timeout.failure
	default:
		signal.Failure = failureOf(end.err)
	}
	if signal.Failure.Rejected && !l.options.RetryRejectedKey {
		signal.Kind = Failed
		return signal
	}
	if signal.Failure.exact {
		signal.Delay = l.schedule.exactly(signal.Failure.retryAfter)
		return signal
	}
	next := l.schedule.fastDelay
	switch {
	case signal.Failure.slow:
		next = l.schedule.slowDelay
	case end.open:
		next = l.schedule.afterLoss
	}
	signal.Delay = l.schedule.atLeast(next(), signal.Failure.retryAfter)
	return signal
}

// wait returns when the delay has passed or the key was changed. It returns false if the line has ended.
func (l *Line) wait(delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.keyChanged:
		l.schedule.reset()
		return true
	case <-l.ctx.Done():
		return false
	}
}
