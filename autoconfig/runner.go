package autoconfig

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/relayconf/relayconf/internal/handshake"
)

// runner is the run loop of a manager: one goroutine that owns the connection, the timers, and every call of the
// relay's handler.
type runner struct {
	m           *StreamManager
	connections sync.WaitGroup
	schedule    *retrySchedule

	loaded        <-chan loadResult // nil once the store has answered, or if there is none
	saver         *saver            // nil if there is no store
	savedRevision uint64            // of the state that the store has got from here, or is about to get
	streamApplied bool              // the stream has brought something already

	decoder decoder
	put     *putDecoder // nil unless a part of a put has come on conn

	conn  *connection // nil while waiting to retry
	retry *time.Timer

	expiry   *time.Timer // for the next key to expire
	expiryAt time.Time   // when that is; zero if the timer is not set

	watchdog     *time.Timer
	dialledAt    time.Time     // when conn was begun
	putApplied   bool          // on conn
	putDueFrom   time.Time     // when conn was open or last brought an event, less the time of handlers
	healthySince time.Time     // when conn had its first event handled; zero before
	calledFor    time.Duration // in the handler since conn was begun or was last told to read on
}

// nothingSaved is no revision: what comes next is saved, even if it is the same, or empty.
const nothingSaved = math.MaxUint64

func newRunner(m *StreamManager) *runner {
	return &runner{
		m:        m,
		decoder:  newDecoder(&m.state.environments),
		schedule: newRetrySchedule(m.initialRetryDelay, rand.Float64),
		retry:    stoppedTimer(),
		expiry:   stoppedTimer(),
		watchdog: stoppedTimer(),

		savedRevision: nothingSaved,
	}
}

func stoppedTimer() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
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
	err := r.m.streamURLError
	if err == nil {
		r.m.loggers.Infof("Connecting to the auto-configuration stream of %s", r.m.streamURL.Host)
		err = r.connect()
	}
	for err == nil {
		err = r.step()
	}
	r.hangUp()
	r.awaitLoaded()
	r.saver.end()
	for _, timer := range []*time.Timer{r.retry, r.expiry, r.watchdog} {
		timer.Stop()
	}
	r.connections.Wait()
	r.m.client.CloseIdleConnections()
	if !errors.Is(err, ErrClosed) {
		r.m.loggers.Errorf("Auto-configuration has ended for good: %s", err)
	}
	r.m.finish(err)
}

// step waits for one thing to happen and deals with it. An error is the end.
func (r *runner) step() error {
	var signals chan signal
	if r.conn != nil {
		signals = r.conn.signals
	}
	select {
	case <-r.m.ctx.Done():
		return ErrClosed
	case <-r.m.keyChanged:
		return r.changeKey()
	case <-r.retry.C:
		return r.connect()
	case <-r.expiry.C:
		r.expireKeys()
		return nil
	case <-r.watchdog.C:
		return r.checkSilence()
	case loaded := <-r.loaded:
		r.takeLoaded(loaded)
		return nil
	case s := <-signals:
		return r.take(s)
	}
}

// connect begins a connection with the key as it is now.
func (r *runner) connect() error {
	r.m.mu.Lock()
	key := r.m.key
	r.m.mu.Unlock()
	if err := handshake.CheckKey(key); err != nil {
		return r.lost(failureOf(fmt.Errorf("%w: %w", ErrInvalidKey, err)))
	}
	r.connections.Add(1)
	r.conn = newConnection(r.m.ctx, r.m, key, r.connections.Done)
	r.m.mu.Lock()
	r.m.dropLine = r.conn.cancel
	changed := r.m.key != key // while the connection was begun, so that SetKey could not drop it
	r.m.mu.Unlock()
	if changed {
		r.conn.cancel()
	}
	r.dialledAt, r.putApplied, r.healthySince, r.calledFor = time.Now(), false, time.Time{}, 0
	r.watchdog.Reset(r.m.readTimeout)
	r.m.loggers.Debugf("Connecting to %s with key %s", r.m.streamURL.Host, key)
	return nil
}

// changeKey reconnects after SetKey, with no delay: whatever the old key has met says nothing of the new one.
func (r *runner) changeKey() error {
	r.m.mu.Lock()
	key := r.m.key
	r.m.mu.Unlock()
	if r.conn != nil && r.conn.key == key && r.conn.ctx.Err() == nil {
		return nil // it was dialled after the change
	}
	r.m.loggers.Infof("The auto-configuration key has changed to %s; reconnecting", key)
	r.schedule.reset()
	r.hangUp()
	r.interrupted()
	return r.connect()
}

// hangUp drops the connection, if there is one, and every wait.
func (r *runner) hangUp() {
	r.retry.Stop()
	r.watchdog.Stop()
	if r.conn == nil {
		return
	}
	r.conn.cancel()
	r.conn, r.put = nil, nil
	if !r.healthySince.IsZero() && time.Since(r.healthySince) >= healthyAfter {
		r.schedule.reset()
	}
}

func (r *runner) interrupted() {
	if r.m.Status().State == StateValid {
		r.m.setState(StateInterrupted)
	}
}

// lost deals with a connection that failed or has to be given up. It returns an error if there is no use in another.
func (r *runner) lost(f *failure) error {
	wasUp := r.conn != nil && r.conn.reader != nil
	r.hangUp()
	r.m.recordError(f)
	if f.rejected && !r.m.retryRejectedKey {
		if errors.Is(f.err, ErrInvalidKey) {
			return f.err
		}
		return &rejectedKeyError{f.err}
	}
	next := r.schedule.fastDelay
	switch {
	case f.slow:
		next = r.schedule.slowDelay
	case wasUp:
		next = r.schedule.afterLoss
	}
	r.reconnectIn(r.schedule.atLeast(next(), f.retryAfter), f.err.Error())
	return nil
}

// reconnectIn waits before the next connection; the reason is for the log.
func (r *runner) reconnectIn(delay time.Duration, reason string) {
	r.m.loggers.Warnf("Auto-configuration stream: %s; connecting again in %s", reason, delay.Round(time.Millisecond))
	r.interrupted()
	r.retry.Reset(delay)
}
