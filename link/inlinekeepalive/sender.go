package inlinekeepalive

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// errClosed says that nothing may be sent any more.
var errClosed = errors.New("inlinekeepalive: closed for sending")

// sender sends the application's messages on a stream, and a keepalive where there is none for an interval.
type sender struct {
	stream   interface{ SendMsg(m any) error }
	interval time.Duration
	start    time.Time
	last     atomic.Int64 // nanoseconds from start to the last message sent
	sending  sync.Mutex   // held for each SendMsg

	mu       sync.Mutex
	inFlight bool         // a keepalive is being sent
	closed   bool         // by close
	after    func() error // called once no keepalive is in flight; of the close that found one
}

func newSender(stream interface{ SendMsg(m any) error }, interval time.Duration) *sender {
	return &sender{stream: stream, interval: interval, start: time.Now()}
}

// send sends a message of the application.
func (s *sender) send(m any) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	err := s.stream.SendMsg(m)
	s.sent()
	return err
}

func (s *sender) sent() { s.last.Store(int64(time.Since(s.start))) }

func (s *sender) idle() time.Duration { return time.Since(s.start) - time.Duration(s.last.Load()) }

// keepAlive sends keepalives until the context ends, the sender is closed, or sending fails.
func (s *sender) keepAlive(ctx context.Context) {
	for s.waitIdle(ctx, s.interval) {
		// While a message is being sent, however long that takes, the stream is not idle.
		if s.sending.TryLock() {
			err := s.sendKeepalive()
			s.sending.Unlock()
			if err != nil {
				return
			}
		} else if !pause(ctx, s.interval) {
			return
		}
	}
}

// sendKeepalive is called with the lock sending held.
func (s *sender) sendKeepalive() error {
	if s.idle() < s.interval {
		return nil // a message went out since the wait
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.inFlight = true
	s.mu.Unlock()

	err := s.stream.SendMsg(keepalive)
	s.sent()

	s.mu.Lock()
	s.inFlight = false
	after := s.after
	s.mu.Unlock()
	if after != nil {
		_ = after() // its caller has gone on; a CloseSend of gRPC never fails
		return errClosed
	}
	return err
}

// close ends the keepalives. It reports false when one is in flight, which may last while the peer does not read.
// Then after, which may be nil, is called at its end.
func (s *sender) close(after func() error) (idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.inFlight {
		s.after = after
	}
	return !s.inFlight
}

// waitIdle waits until nothing has been sent for a time. It reports false when the context ended.
func (s *sender) waitIdle(ctx context.Context, duration time.Duration) bool {
	for {
		left := duration - s.idle()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !pause(ctx, left) {
			return false
		}
	}
}

// pause reports false when the context ended.
func pause(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
