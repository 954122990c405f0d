package hub

import (
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// SourceKind says where the configuration in force comes from.
type SourceKind string

// The kinds of sources.
const (
	// SourceNone means that there is no configuration yet.
	SourceNone SourceKind = "NONE"
	// SourceStore means that the configuration was loaded from a store and that nothing has confirmed it since. It may be
	// older than the relays' states, so it is served only to relays that bring no id, or one that can be resumed.
	SourceStore SourceKind = "STORE"
	// SourceStream means that a stream has delivered or confirmed it.
	SourceStream SourceKind = "STREAM"
	// SourceFile means that it was read from a file.
	SourceFile SourceKind = "FILE"
)

// Source says where the configuration in force comes from, and since when.
type Source struct {
	Kind SourceKind

	// Time is when the configuration was saved, for SourceStore; otherwise when the source first confirmed it.
	Time time.Time
}

// Confirmed tells whether the source says that the configuration is the present one.
func (s Source) Confirmed() bool { return s.Kind == SourceStream || s.Kind == SourceFile }

// Changes applies the changes that one event brought, and sends them on. It has the semantics of
// autoconfig.ChangeHandler. Relays are served from the first call on whose put parameter is true.
//
// A change whose text is not a JSON object is logged and left out. Calls must be made one at a time.
func (h *Hub) Changes(put bool, changes []autoconfig.Change) { h.apply(put, changes, time.Now()) }

// SetSource says where the configuration comes from that Changes has brought, or is about to bring.
func (h *Hub) SetSource(source Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setSource(source)
}

// setSource is called with Hub.mu.
func (h *Hub) setSource(source Source) {
	switch before := h.source.Confirmed(); {
	case source.Confirmed() && !before:
		close(h.confirmed)
	case before && !source.Confirmed():
		h.confirmed = make(chan struct{})
	}
	h.source = source
	h.prepareViews()
}

// Follow takes the source from the status of a manager. Give it to the manager with autoconfig.WithStatusListener.
func (h *Hub) Follow(status autoconfig.Status) {
	switch status.Source {
	case autoconfig.SourceStore:
		h.SetSource(Source{Kind: SourceStore, Time: time.Now().Add(-status.SnapshotAge)})
	case autoconfig.SourceStream:
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.source.Kind != SourceStream {
			h.setSource(Source{Kind: SourceStream, Time: time.Now()})
		}
	}
}

// Handler returns the handler to make a manager with. It implements autoconfig.ChangeHandler.
func (h *Hub) Handler() autoconfig.MessageHandler { return handler{h} }

// handler passes the changes on. What a manager makes of them for a relay's own use means nothing to a hub.
type handler struct{ hub *Hub }

var _ autoconfig.ChangeHandler = handler{}

func (h handler) Changes(put bool, changes []autoconfig.Change) { h.hub.Changes(put, changes) }

func (handler) AddEnvironment(envfactory.EnvironmentParams)    {}
func (handler) UpdateEnvironment(envfactory.EnvironmentParams) {}
func (handler) ReceivedAllEnvironments()                       {}
func (handler) DeleteEnvironment(config.EnvironmentID)         {}
func (handler) KeyExpired(config.EnvironmentID, config.SDKKey) {}
