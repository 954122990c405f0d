package autoconfig

import (
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/wire"
)

// Applied is the configuration that the handler has been told in full: all its calls for it have returned. It is older
// than the known configuration, which Status shows, while the handler works.
type Applied struct {
	Digest  string          // as Status.Digest is; empty if no configuration was applied yet
	Changed <-chan struct{} // closed when the handler has been told something else
}

// appliedRecord is guarded by the manager's lock.
type appliedRecord struct {
	any     bool // something was applied
	digest  digest.Digest
	changed chan struct{}  // nil until somebody waits for it
	pending []state.Change // that the handler is being told of
}

// Applied returns the configuration that the handler has been told in full.
func (m *StreamManager) Applied() Applied {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.applied.changed == nil {
		m.applied.changed = make(chan struct{})
	}
	return Applied{Digest: m.applied.String(), Changed: m.applied.changed}
}

// AppliedVersions returns the versions of environments, by their ids, as far as the handler has been told of them: those
// asked for, or all if none are. Unknown and deleted environments are left out, and those in the handler's current
// call. The digest is that of Applied at the same moment.
func (m *StreamManager) AppliedVersions(ids ...config.EnvironmentID) (versions map[config.EnvironmentID]int, digest string) {
	asked := make(map[string]bool, len(ids))
	for _, id := range ids {
		asked[string(id)] = true
	}
	versions = map[config.EnvironmentID]int{}
	m.mu.RLock()
	defer m.mu.RUnlock()
	pending := make(map[string]bool, len(m.applied.pending))
	for i := range m.applied.pending {
		pending[m.applied.pending[i].ID] = true
	}
	for known := range m.state.All(wire.Environment) {
		if known.Text != "" && !pending[known.ID] && (len(asked) == 0 || asked[known.ID]) {
			versions[config.EnvironmentID(known.ID)] = known.Version
		}
	}
	return versions, m.applied.String()
}

// String returns the digest, or nothing if nothing was applied yet.
func (a *appliedRecord) String() string {
	if !a.any {
		return ""
	}
	return a.digest.String()
}

// recordApplied notes that the handler has been told all that is known. A manager that was closed in the middle of it has
// not told everything.
func (m *StreamManager) recordApplied() {
	if m.ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &m.applied
	a.pending = nil
	now, known := m.state.Digest(), m.status.Source != SourceNone
	if now == a.digest && known == a.any {
		return
	}
	a.digest, a.any = now, known
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}
