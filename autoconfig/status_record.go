package autoconfig

import (
	"time"

	"github.com/relayconf/relayconf/internal/stream"
)

// statusRecord is the status as it is kept.
type statusRecord struct {
	Status
	opened          *stream.Signal // of the latest connection, which knows when the last byte came; nil before the first
	snapshotSavedAt time.Time      // of the configuration that was loaded from the store
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
	status.Environments = m.state.Environments()
	if m.status.opened != nil {
		status.LastActivity = later(status.LastActivity, m.status.opened.LastByte())
	}
	if status.Source != SourceNone {
		status.Digest = m.state.Digest().String()
	}
	if status.Source == SourceStore {
		status.SnapshotAge = max(0, time.Since(m.status.snapshotSavedAt))
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

func (m *StreamManager) setSource(source Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Source = source
}

func (m *StreamManager) recordSnapshot(savedAt time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.snapshotSavedAt = savedAt
}

// storeFailed reports a failure of the store, which is never more than that: the manager goes on without it.
func (m *StreamManager) storeFailed(what string, err error) {
	m.mu.Lock()
	m.status.StoreFailures++
	m.mu.Unlock()
	m.loggers.Warnf("%s: %s", what, err)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
