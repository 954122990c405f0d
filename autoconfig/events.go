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
	var err error
	switch {
	case s.err != nil:
		return r.lost(failureOf(s.err))
	case s.opened != nil:
		r.opened(s.opened)
	default:
		err = r.takeItem(s.item)
	}
	if r.conn == conn {
		r.calledFor = 0
		conn.proceed()
	}
	return err
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
		r.m.recordKeepAlive()
		r.calling(func() { r.m.dispatcher.keepAlive(item.Data) })
		if r.putApplied {
			r.watchdog.Reset(r.m.readTimeout) // before the put it also looks out for that: see checkSilence
		}
		return nil
	case sse.Retry:
		r.schedule.setBase(item.Retry)
		return nil
	default:
		r.putDueFrom = time.Now()
		return r.takeEvent(item.Name, item.Data)
	}
}

func (r *runner) takeEvent(name string, data []byte) error {
	if r.m.loggers.IsDebugEnabled() {
		r.m.loggers.Debugf("Received event %q: %s", mask.Shorten(name), mask.JSON(data))
	}
	if name == ReconnectEvent {
		r.hangUp()
		r.reconnectIn(r.schedule.afterLoss(), "the service asks for a new connection")
		return nil
	}
	message, err := r.decode(name, data)
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
	}
	return r.apply(message)
}

func (r *runner) decode(name string, data []byte) (message, error) {
	if name != PutEvent {
		return r.decoder.decode(name, data)
	}
	put := newPutDecoder(&r.m.state.environments)
	if err := put.add(data); err != nil {
		return nil, err
	}
	return put.finish()
}

// apply takes a message of the stream.
func (r *runner) apply(message message) error {
	r.streamApplied = true
	if r.healthySince.IsZero() {
		r.healthySince = time.Now()
	}
	if _, ok := message.(putMessage); ok {
		r.putApplied = true
	}
	out := r.applyFrom(SourceStream, message)
	if r.m.ctx.Err() != nil {
		return ErrClosed
	}
	if r.putApplied || r.m.Status().State != StateInitializing {
		r.m.setState(StateValid)
	}
	if out.invalidKeys != nil {
		return r.lost(&failure{kind: ErrorKindInvalidData, err: out.invalidKeys})
	}
	return nil
}

// applyFrom changes the state by a message and tells the relay.
func (r *runner) applyFrom(source Source, message message) outcome {
	now := time.Now()
	r.m.mu.Lock()
	out := r.m.state.apply(message, now)
	if _, ok := message.(putMessage); ok {
		r.m.status.Source = source
	}
	r.m.mu.Unlock()
	for _, warning := range out.warnings {
		r.m.loggers.Warnf("Auto-configuration: %s", warning)
	}
	r.saveChanges(source)
	r.setExpiryTimer(now)
	r.calling(func() { r.m.dispatcher.changes(r.m.ctx, out.changes, now) })
	return out
}

// longestExpiryWait bounds a wait by the wall clock, which may be set while the timer, which goes by the monotonic
// clock, runs.
const longestExpiryWait = time.Minute

func (r *runner) setExpiryTimer(now time.Time) {
	r.m.mu.RLock()
	at, ok := r.m.state.nextExpiry()
	r.m.mu.RUnlock()
	if !ok {
		r.expiry.Stop()
		return
	}
	r.expiry.Reset(max(0, min(at.Sub(now), longestExpiryWait)))
}

func (r *runner) expireKeys() {
	now := time.Now()
	r.m.mu.Lock()
	changes := r.m.state.expire(now)
	r.m.mu.Unlock()
	r.calling(func() { r.m.dispatcher.changes(r.m.ctx, changes, now) })
	r.setExpiryTimer(time.Now())
}
