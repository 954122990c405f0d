package autoconfig

import (
	"errors"
	"fmt"
	"time"

	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/sse"
)

// take deals with what the connection told. An error is the end of the manager.
func (r *runner) take(s signal) error {
	conn := r.conn
	if conn.ctx.Err() != nil {
		return nil // closed, or the key was changed: step will see which, and what the old key has met does not matter
	}
	switch {
	case s.err != nil:
		return r.lost(failureOf(s.err))
	case s.opened != nil:
		r.opened(s.opened)
	default:
		if err := r.takeItems(conn, s.item); err != nil {
			return err
		}
	}
	if r.conn == conn {
		r.calledFor = 0
		conn.proceed()
	}
	return nil
}

// takeItems deals with an item, and with those that have come along with it: the connection waits, so its reader can be
// used here, which spares the two a change of goroutines for each item of a burst. What may have to be dealt with before
// the next item, as in step, is looked at in between.
func (r *runner) takeItems(conn *connection, item sse.Item) error {
	if item.More { // the connection reads on already
		return r.takeItem(item)
	}
	for i := 0; ; i++ {
		if i%lookahead == 0 {
			r.decoder.lookAhead(conn.reader.Buffered())
		}
		if err := r.takeItem(item); err != nil {
			return err
		}
		if r.conn != conn || conn.ctx.Err() != nil {
			return nil
		}
		if !r.expiryAt.IsZero() { // to ask the channel takes a while
			select {
			case <-r.expiry.C:
				r.expireKeys()
			default:
			}
		}
		var ok bool
		if item, ok = conn.reader.Ready(); !ok {
			return nil
		}
	}
}

func (r *runner) opened(reader *sse.Reader) {
	r.conn.reader = reader
	r.putDueFrom = time.Now()
	r.watchdog.Reset(r.m.readTimeout)
	r.m.recordConnection(reader)
	r.m.loggers.Infof("Following the auto-configuration stream of %s", r.m.streamURL.Host)
	r.m.announce(nil)
}

func (r *runner) takeItem(item sse.Item) error {
	switch item.Kind {
	case sse.Comment:
		r.takeComment(item.Data)
		return nil
	case sse.Retry:
		r.schedule.setBase(item.Retry)
		return nil
	default:
		err := r.takeEvent(item, time.Now())
		if !r.putApplied {
			r.putDueFrom = time.Now() // what it took to deal with a part of the put is no delay of the service's
		}
		return err
	}
}

func (r *runner) takeComment(comment []byte) {
	start := time.Now()
	r.m.recordKeepAlive(start)
	r.m.dispatcher.keepAlive(comment)
	r.called(start)
	if r.putApplied {
		r.watchdog.Reset(r.m.readTimeout) // before the put it also looks out for that: see checkSilence
	}
}

func (r *runner) takeEvent(item sse.Item, now time.Time) error {
	name, data := item.Name, item.Data
	if r.m.loggers.IsDebugEnabled() {
		r.logEvent(item)
	}
	if name == ReconnectEvent {
		r.hangUp()
		r.reconnectIn(r.schedule.afterLoss(), "the service asks for a new connection")
		return nil
	}
	message, err := r.decode(item)
	switch {
	case errors.Is(err, errUnknownEvent):
		r.m.loggers.Warnf("Auto-configuration stream: %s: %q", err, mask.Shorten(name))
		return nil
	case errors.Is(err, errIgnored):
		r.m.loggers.Debugf("Auto-configuration stream: %s %s", name, err)
		return nil
	case err != nil:
		return r.lost(&failure{kind: ErrorKindInvalidData,
			err: fmt.Errorf("a malformed %s event of %d bytes: %w", name, len(data), err)})
	case message == nil:
		return nil
	}
	return r.apply(message, now)
}

func (r *runner) logEvent(item sse.Item) {
	if item.More || r.put != nil {
		r.m.loggers.Debugf("Received a part of event %q: (%d bytes)", mask.Shorten(item.Name), len(item.Data))
		return
	}
	r.m.loggers.Debugf("Received event %q: %s", mask.Shorten(item.Name), mask.JSON(item.Data))
}

// decode makes a message of an event. There is none, and no error, while more of a put is to come.
func (r *runner) decode(event sse.Item) (message, error) {
	if event.Name != PutEvent {
		return r.decoder.decode(event.Name, event.Data)
	}
	if r.put == nil {
		r.put = newPutDecoder(&r.m.state.environments)
	}
	put := r.put
	if !event.More {
		r.put = nil
	}
	if err := put.add(event.Data); err != nil || event.More {
		return nil, err
	}
	return put.finish()
}

// apply takes a message of the stream.
func (r *runner) apply(message message, now time.Time) error {
	r.streamApplied = true
	if r.healthySince.IsZero() {
		r.healthySince = now
	}
	if _, ok := message.(putMessage); ok {
		r.putApplied = true
	}
	out := r.applyFrom(SourceStream, message, now)
	if r.m.ctx.Err() != nil {
		if out.invalidKeys != nil { // whoever wants but one put should know that it was not whole
			r.m.loggers.Warnf("Auto-configuration: %s", out.invalidKeys)
		}
		return ErrClosed
	}
	// The state of the status is written by this goroutine alone, so it can be read without the lock.
	if state := r.m.status.State; state != StateValid && (r.putApplied || state != StateInitializing) {
		r.m.setState(StateValid)
	}
	if out.invalidKeys != nil {
		return r.lost(&failure{kind: ErrorKindInvalidData, err: out.invalidKeys})
	}
	return nil
}

// applyFrom changes the state by a message and tells the relay.
func (r *runner) applyFrom(source Source, message message, now time.Time) outcome {
	r.m.mu.Lock()
	out := r.m.state.apply(message, now)
	_, isPut := message.(putMessage)
	if isPut {
		r.m.status.Source = source
		if source == SourceStream {
			r.m.status.confirm(now)
		}
	}
	r.m.mu.Unlock()
	for _, warning := range out.warnings {
		r.m.loggers.Warnf("Auto-configuration: %s", warning)
	}
	if source == SourceStream {
		r.saveChanges(isPut)
	}
	r.setExpiryTimer(now)
	r.m.dispatcher.changes(r.m.ctx, out.changes, now)
	r.called(now)
	return out
}

// longestExpiryWait bounds a wait by the wall clock, which may be set while the timer, which goes by the monotonic
// clock, runs.
const longestExpiryWait = time.Minute

// setExpiryTimer sets the timer for the key that expires next, unless it is set for that time already. It reads the state
// without the lock: only this goroutine writes it.
func (r *runner) setExpiryTimer(now time.Time) {
	at, _ := r.m.state.nextExpiry()
	if at.Equal(r.expiryAt) {
		return
	}
	r.expiryAt = at
	if at.IsZero() {
		r.expiry.Stop()
		return
	}
	r.expiry.Reset(max(0, min(at.Sub(now), longestExpiryWait)))
}

func (r *runner) expireKeys() {
	now := time.Now()
	r.expiryAt = time.Time{} // the timer has gone off
	r.m.mu.Lock()
	changes := r.m.state.expire(now)
	r.m.mu.Unlock()
	r.m.dispatcher.changes(r.m.ctx, changes, now)
	r.called(now)
	r.setExpiryTimer(time.Now())
}
