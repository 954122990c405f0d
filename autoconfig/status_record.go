package autoconfig

import (
	"time"

	"github.com/relayconf/relayconf/internal/stream"
)

// statusRecord is the status as it is kept.
type statusRecord struct {
	Status
	opened      *stream.Signal // of the latest connection, which knows when the last byte came; nil before the first
	confirming  *stream.Signal // of the connection that has brought the latest put; nil if there is a newer connection
	confirmedAt time.Time      // by that put, by an earlier connection, or as the snapshot says that was loaded
}

// lastConfirmed is when the service last confirmed the configuration: each byte on a connection that has brought a put
// says that nothing else has changed. It needs the manager's lock.
func (s *statusRecord) lastConfirmed() time.Time {
	if s.confirming == nil {
		return s.confirmedAt
	}
	return later(s.confirmedAt, s.confirming.LastByte())
}

// put says that the latest connection has brought a put, or was resumed and has brought an event. What it brought was last
// confirmed at the time unconfirmed; zero if it is confirmed now. It needs the manager's lock.
func (s *statusRecord) put(unconfirmed, now time.Time) {
	switch {
	case unconfirmed.IsZero():
		s.Source, s.confirming, s.confirmedAt = SourceStream, s.opened, now
	case s.Source == SourceNone:
		s.Source, s.confirmedAt = SourceStore, unconfirmed
	}
}

// Status returns how the manager is doing now.
func (m *StreamManager) Status() Status {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.currentStatus()
}

// currentStatus needs the lock.
func (m *StreamManager) currentStatus() Status {
	status := m.status.Status
	status.Environments, status.NeedsPut = m.state.Environments(), m.needsPut
	if m.status.opened != nil {
		status.LastActivity = later(status.LastActivity, m.status.opened.LastByte())
	}
	if status.Source != SourceNone {
		status.Digest = m.state.Digest().String()
	}
	if status.Source == SourceStore {
		status.SnapshotAge = max(0, time.Since(m.status.confirmedAt))
	}
	if status.LastError != nil {
		lastError := *status.LastError
		status.LastError = &lastError
	}
	return status
}

// setState changes the state, and tells the listener if it is another one. It must be called without the lock, and,
// so that the listener is told in order, by one goroutine at a time.
func (m *StreamManager) setState(state State) {
	m.mu.Lock()
	if m.status.State == state {
		m.mu.Unlock()
		return
	}
	m.status.State = state
	m.status.StateSince = time.Now()
	status := m.currentStatus()
	m.mu.Unlock()
	if m.statusListener != nil {
		m.statusListener(status)
	}
}

func (m *StreamManager) recordConnection(opened *stream.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Connections++
	m.status.LastActivity = time.Now() // the response's headers
	m.status.confirmedAt, m.status.confirming = m.status.lastConfirmed(), nil
	m.status.opened = opened
	m.status.Resumed, m.status.Compressed = opened.Resumed, opened.Compressed
}

func (m *StreamManager) recordKeepAlive(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.KeepAlives++
	m.status.LastKeepAlive = now
}

func (m *StreamManager) recordError(f *stream.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.LastError = &ErrorInfo{Kind: ErrorKind(f.Kind), StatusCode: f.Status, Message: f.Err.Error(), Time: time.Now()}
}

// recordPut is statusRecord.put.
func (m *StreamManager) recordPut(unconfirmed, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.put(unconfirmed, now)
}

// lastConfirmed is for the saver.
func (m *StreamManager) lastConfirmed() time.Time {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.status.lastConfirmed()
}

func (m *StreamManager) loadFailed(err error) {
	m.recordStoreFailure()
	m.loggers.Warnf("The last known configuration could not be loaded from %s: %s", storeName(m.store), err)
}

func (m *StreamManager) saveFailed(err error) {
	m.recordStoreFailure()
	m.loggers.Warnf("The configuration could not be saved in %s: %s", storeName(m.store), err)
}

func (m *StreamManager) saveRecovered(failures int) {
	m.loggers.Infof("The configuration is saved in %s again, after %d failures", storeName(m.store), failures)
}

// recordStoreFailure counts a failure of the store, which is never more than that: the manager goes on without it.
func (m *StreamManager) recordStoreFailure() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.StoreFailures++
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
