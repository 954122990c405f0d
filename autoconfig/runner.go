package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/sse"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/stream"
	"github.com/relayconf/relayconf/internal/wire"
)

// runner is the run loop of a manager: one goroutine that decodes the items of the line, applies them to the state, and
// makes every call of the relay's handler.
type runner struct {
	m       *StreamManager
	line    *stream.Line
	signals <-chan *stream.Signal // nil if there is no line, because the stream URI is not valid

	loaded        <-chan loadResult // nil once the store has answered, or if there is none
	headStart     context.Context   // of the store: ends when the stored configuration is known, or has taken too long
	endHeadStart  context.CancelFunc
	saver         *saver // nil if there is no store
	savedRevision uint64 // of the state that the store has got from here, or is about to get
	streamApplied bool   // the stream has brought something already

	// Of the connection that is up.
	key         config.AutoConfigKey
	put         *wire.PutDecoder // nil unless a part of a put has come
	fed         bool             // its put was applied, or it was resumed and has brought its first event
	resumed     bool             // it goes on from the known configuration
	unconfirmed time.Time        // when the service last confirmed the state brought so far; zero if that is confirmed

	expiry   *time.Timer // for the next key to expire
	expiryAt time.Time   // when that is; zero if the timer is not set
}

// nothingSaved is no revision: the next configuration is saved, even if it is the same, or empty.
const nothingSaved = math.MaxUint64

func newRunner(m *StreamManager) *runner {
	r := &runner{m: m, expiry: time.NewTimer(time.Hour), savedRevision: nothingSaved}
	r.expiry.Stop()
	r.headStart, r.endHeadStart = context.WithTimeout(m.ctx, storeHeadStart)
	if m.store == nil {
		r.endHeadStart()
	}
	return r
}

// run ends when the manager is closed or has failed for good.
func (r *runner) run() {
	if r.m.store != nil {
		r.loaded = load(r.m.ctx, r.m.store)
		r.saver = newSaver(saverOptions{
			store: r.m.store, key: r.m.storeKey, snapshot: r.m.snapshot, confirmedAt: r.m.lastConfirmed,
			failed: r.m.saveFailed, recovered: r.m.saveRecovered,
		})
	}
	lineContext, hangUp := context.WithCancel(r.m.ctx)
	err := r.m.streamURLError
	if err == nil {
		r.connect(lineContext)
	}
	for err == nil {
		err = r.step()
	}
	hangUp()
	r.endHeadStart()
	r.awaitLoaded()
	r.saver.end()
	r.expiry.Stop()
	if r.line != nil {
		<-r.line.Done()
	}
	if !errors.Is(err, ErrClosed) {
		r.m.loggers.Errorf("Auto-configuration has ended for good: %s", err)
	}
	r.m.finish(err)
}

// connect opens the line.
func (r *runner) connect(ctx context.Context) {
	m := r.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loggers.Infof("Connecting to %s with key %s", stream.Printable(m.streamURL), m.key)
	r.line = stream.Open(ctx, stream.Options{
		URL:              m.streamURL,
		Client:           m.client,
		Key:              m.key,
		RetryDelay:       m.initialRetryDelay,
		ReadTimeout:      m.readTimeout,
		MaxEventSize:     m.maxEventSize,
		RetryRejectedKey: m.retryRejectedKey,
		Compressed:       true,
		Instance:         m.instance,
		LastEventID:      r.resumeFrom,
		Names: sse.Names{
			Known: []string{PutEvent, PatchEvent, DeleteEvent, ReconnectEvent},
			Split: PutEvent,
			Bare:  ReconnectEvent,
		},
	})
	r.signals, m.line = r.line.Signals(), r.line
}

// resumeFrom returns the id for the next connection. The first one waits for the store's head start.
func (r *runner) resumeFrom() string {
	<-r.headStart.Done()
	return r.m.resumeFrom()
}

// step waits for one thing to happen and deals with it. An error is the end.
func (r *runner) step() error {
	loaded := r.loaded
	if r.put != nil {
		loaded = nil // the decoder asks the state: it must not change in the middle of a put
	}
	select {
	case <-r.m.ctx.Done():
		return ErrClosed
	case <-r.expiry.C:
		r.expireKeys()
	case result := <-loaded:
		r.applyLoaded(result)
	case signal := <-r.signals:
		return r.handle(signal)
	}
	return nil
}

func (r *runner) handle(signal *stream.Signal) error {
	switch signal.Kind {
	case stream.Opened:
		r.opened(signal)
		signal.Proceed(stream.Verdict{})
	case stream.Received:
		verdict := r.received(signal)
		signal.Proceed(verdict)
	case stream.Lost:
		r.lost(signal)
		signal.Proceed(stream.Verdict{})
	case stream.Failed:
		r.m.recordError(signal.Failure)
		signal.Proceed(stream.Verdict{})
		return signal.Failure.Err
	}
	if r.m.ctx.Err() != nil {
		return ErrClosed
	}
	return nil
}

func (r *runner) opened(signal *stream.Signal) {
	r.key, r.fed, r.resumed, r.unconfirmed = signal.Key, false, signal.Resumed, signal.Unconfirmed
	r.m.recordConnection(signal)
	how := ""
	if signal.Resumed {
		how = ", which goes on from the known configuration"
	}
	r.m.loggers.Infof("Following the stream of %s%s", r.m.streamURL.Host, how)
	r.m.announce(nil)
}

// lost notes the end of a connection. The known configuration stays in force.
func (r *runner) lost(signal *stream.Signal) {
	r.put = nil
	switch {
	case signal.KeyChanged:
		r.m.loggers.Infof("The auto-configuration key has changed; reconnecting")
	case signal.Failure != nil:
		if signal.Failure.Kind == stream.KindInvalidData {
			r.setNeedsPut(true)
		}
		r.m.recordError(signal.Failure)
		r.m.loggers.Warnf("%s; connecting again in %s", signal.Failure.Err, signal.Delay.Round(time.Millisecond))
	default:
		r.m.loggers.Infof("A new connection was asked for; connecting again in %s", signal.Delay.Round(time.Millisecond))
	}
	if r.m.Status().State == StateValid {
		r.m.setState(StateInterrupted)
	}
}

// received handles an item and those that came along with it. Between two of them it looks for the end of the manager
// and for keys that expire, as step does.
func (r *runner) received(signal *stream.Signal) (verdict stream.Verdict) {
	if !r.fed {
		defer r.line.Pause()() // handling the first put may take longer than the put may be overdue
	}
	item := signal.Item
	for more := true; more; item, more = signal.Next() {
		switch item.Kind {
		case sse.Comment:
			r.m.recordKeepAlive(time.Now())
			r.m.dispatcher.keepAlive(item.Data)
		case sse.Event:
			r.event(item, time.Now(), &verdict)
		}
		if verdict.Invalid != nil || verdict.Reconnect || r.m.ctx.Err() != nil {
			break
		}
		if !r.expiryAt.IsZero() { // asking the channel takes a while
			select {
			case <-r.expiry.C:
				r.expireKeys()
			default:
			}
		}
	}
	verdict.Fed = r.fed
	return verdict
}

// event decodes an event and applies its message.
func (r *runner) event(item sse.Item, now time.Time, verdict *stream.Verdict) {
	if r.m.loggers.IsDebugEnabled() {
		r.logEvent(item)
	}
	if item.Name == ReconnectEvent {
		r.m.loggers.Infof("The service asks for a new connection")
		verdict.Reconnect = true
		return
	}
	message, err := r.decode(item)
	if r.resumed && (message != nil || errors.Is(err, wire.ErrIgnored)) {
		r.confirmResumed()
		verdict.Applied = true
	}
	switch {
	case errors.Is(err, wire.ErrUnknownEvent):
		r.m.loggers.Warnf("%s: %q", err, mask.Shorten(item.Name))
	case errors.Is(err, wire.ErrIgnored):
		r.m.loggers.Debugf("%s %s", item.Name, err)
	case err != nil:
		r.invalid(verdict, fmt.Errorf("a malformed %s event of %d bytes: %w", item.Name, len(item.Data), err))
	case message != nil:
		verdict.Applied = true
		if _, ok := message.(*wire.Confirmed); ok {
			r.confirm(now)
		} else {
			r.apply(message, now, verdict)
		}
	}
}

// decode makes a message of an event. There is none, and no error, while more of a put is to come.
func (r *runner) decode(item sse.Item) (wire.Message, error) {
	if item.Name != PutEvent {
		return wire.Decode(item.Name, item.Data)
	}
	if r.put == nil {
		r.put = wire.NewPutDecoder(r.m.state.Known())
	}
	put := r.put
	if !item.More {
		r.put = nil
	}
	if err := put.Add(item.Data); err != nil || item.More {
		return nil, err
	}
	message, err := put.Finish()
	if err != nil {
		return nil, err
	}
	return message, nil
}

// apply applies a message of the stream.
func (r *runner) apply(message wire.Message, now time.Time, verdict *stream.Verdict) {
	r.streamApplied = true
	_, isPut := message.(*wire.Put)
	if isPut {
		r.fed = true
	}
	out := r.change(message, now)
	if out.InvalidKeys != nil {
		r.invalid(verdict, out.InvalidKeys)
	}
	if r.m.ctx.Err() != nil {
		if out.InvalidKeys != nil { // a command that ends after one put should log that it was not whole
			r.m.loggers.Warnf("%s", out.InvalidKeys)
		}
		return
	}
	r.setValid()
}

// invalid drops the connection for a fresh put.
func (r *runner) invalid(verdict *stream.Verdict, err error) {
	verdict.Invalid = err
	r.setNeedsPut(true)
}

func (r *runner) setNeedsPut(needed bool) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.m.needsPut = needed
}

// setValid: an event was handled. Before the first put that proves nothing. The state of the status is written by this
// goroutine alone, so it can be read without the lock.
func (r *runner) setValid() {
	if state := r.m.status.State; state != StateValid && (r.fed || state != StateInitializing) {
		r.m.setState(StateValid)
	}
}

// confirmResumed takes the first event of a resumed stream for its first put: it confirms the known configuration.
func (r *runner) confirmResumed() {
	r.resumed, r.fed, r.streamApplied = false, true, true
	r.m.recordPut(r.unconfirmed, time.Now())
	r.saveChanges(true)
	r.setValid()
}

// confirm ends the unconfirmed part of a stream.
func (r *runner) confirm(now time.Time) {
	if r.unconfirmed.IsZero() || !r.fed {
		return
	}
	r.unconfirmed = time.Time{}
	r.m.recordPut(r.unconfirmed, now)
	r.saveChanges(true)
	if r.m.statusListener != nil {
		r.m.statusListener(r.m.Status())
	}
}

// change changes the state by a message of the stream and tells the relay.
func (r *runner) change(message wire.Message, now time.Time) state.Outcome {
	_, isPut := message.(*wire.Put)
	r.m.mu.Lock()
	out := r.m.state.Apply(message, now)
	r.m.applied.pending = out.Changes
	r.m.needsPut = out.InvalidKeys != nil || r.m.needsPut && !isPut
	if isPut {
		r.m.status.put(r.unconfirmed, now)
	}
	r.m.mu.Unlock()
	if out.InvalidKeys != nil { // a handler that looks at the status while it is told of the rest knows
		r.m.recordError(&stream.Failure{Kind: stream.KindInvalidData, Err: out.InvalidKeys})
	}
	r.saveChanges(isPut)
	r.tell(isPut, out, now)
	return out
}

// tell logs the outcome of a message and makes the handler's calls.
func (r *runner) tell(isPut bool, out state.Outcome, now time.Time) {
	r.m.logOutcome(out)
	r.setExpiryTimer(now)
	r.m.dispatcher.replicate(isPut, out.Changes)
	r.m.dispatcher.changes(r.m.ctx, out.Changes, now)
	r.m.recordApplied()
}
