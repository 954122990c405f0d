package stream

import (
	"context"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/sse"
)

// Kind is the kind of a Signal.
type Kind int

// The kinds of signals.
const (
	// Opened: a connection is open.
	Opened Kind = iota
	// Received: an item came. See Signal.Next for those that came with it.
	Received
	// Lost: the connection has ended or could not be made. Another follows after a delay.
	Lost
	// Failed: as Lost, but there is no use in another. It is the last signal.
	Failed
)

// Signal is something that happened on a line.
type Signal struct {
	Kind Kind

	// Key, Resumed and Compressed are of Opened: the key that the service has accepted, whether the stream goes on from the
	// LastEventID, and whether it is compressed.
	Key                 config.AutoConfigKey
	Resumed, Compressed bool
	// Unconfirmed is of Opened: when the service last confirmed the configuration that the stream begins with. Zero if that
	// is the present one, as far as is known.
	Unconfirmed time.Time

	// Item is of Received. Its Data is valid until the next call of Next or Proceed.
	Item sse.Item

	// Failure is of Lost and Failed: nil if the connection was dropped on purpose.
	Failure *Failure
	// KeyChanged is of Lost: SetKey has dropped the connection.
	KeyChanged bool
	// Delay is of Lost: how long the line waits before the next connection.
	Delay time.Duration

	line   *Line
	ctx    context.Context // of the connection
	reader *sse.Reader
	event  bool // an event was among the items
}

// Verdict is a consumer's answer to a Signal.
type Verdict struct {
	// Applied: an event was applied. The connection counts as healthy from then on.
	Applied bool
	// Fed: the first put was applied, or none is due. Before that, a connection that brings nothing but comments for a
	// whole read timeout is dropped.
	Fed bool
	// Reconnect drops the connection, which is no failure. The next follows after the delay for a loss.
	Reconnect bool
	// Invalid drops the connection, because an event made no sense.
	Invalid error
}

// Next returns the next item if it came along with the last one: a burst costs no change of goroutines for each item. It
// returns false where the line would have to read, reads already, or has dropped the connection.
func (s *Signal) Next() (sse.Item, bool) {
	if s.Item.More || s.Dropped() {
		return sse.Item{}, false
	}
	item, ok := s.reader.Ready()
	if ok {
		s.see(item)
	}
	return item, ok
}

// see takes note of an item that is of interest to the line itself.
func (s *Signal) see(item sse.Item) {
	switch item.Kind {
	case sse.Event:
		s.event = true
	case sse.Retry:
		s.line.schedule.setBase(item.Retry)
	}
}

// Dropped says whether the connection was dropped since, so that its items are of no interest any more.
func (s *Signal) Dropped() bool { return s.ctx.Err() != nil }

// LastByte is when the last byte came on the connection; zero if none has. It is of Opened. Any goroutine.
func (s *Signal) LastByte() time.Time { return s.reader.LastByte() }

// Proceed lets the line go on. It must be called once for each signal.
func (s *Signal) Proceed(verdict Verdict) {
	switch { // at once, also if the line reads on already
	case verdict.Invalid != nil:
		s.line.dropConnection(&invalidDataError{verdict.Invalid})
	case verdict.Reconnect:
		s.line.Reconnect()
	}
	s.line.verdicts <- verdict
}

// tell hands a signal to the consumer and waits for its verdict. It returns false if the signal was of a connection that
// was dropped before the consumer took it, or if the line has ended.
func (l *Line) tell(ctx context.Context, signal *Signal) bool {
	if !l.send(ctx, signal) {
		return false
	}
	_, ok := l.verdict()
	return ok
}

// fail hands the last signal to the consumer, which may be busy. It returns false if the key was changed before the
// consumer took it: the fate of the old key says nothing of the new one.
func (l *Line) fail(signal *Signal) bool {
	select {
	case <-l.keyChanged:
		return false
	default:
	}
	select {
	case l.signals <- signal:
		l.verdict()
	case <-l.keyChanged:
		return false
	case <-l.ctx.Done():
	}
	return true
}

// send hands a signal to the consumer. It returns false if the connection was dropped before the consumer took it.
func (l *Line) send(ctx context.Context, signal *Signal) bool {
	select {
	case l.signals <- signal:
		return true
	case <-ctx.Done():
		return false
	}
}

// verdict waits for the verdict on the signal that was sent last. It returns false if the line has ended.
func (l *Line) verdict() (Verdict, bool) {
	select {
	case verdict := <-l.verdicts:
		return verdict, true
	case <-l.ctx.Done():
		return Verdict{}, false
	}
}
