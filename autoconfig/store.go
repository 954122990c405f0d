package autoconfig

import (
	"context"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// SnapshotFormat is the FormatVersion of the snapshots that this version of the package makes.
const SnapshotFormat = 1

// Snapshot is a configuration as it was last known.
type Snapshot struct {
	FormatVersion int       `json:"formatVersion"` // see SnapshotFormat
	SavedAt       time.Time `json:"savedAt"`

	// Environments and Filters are as the service sent them, with their versions.
	Environments map[config.EnvironmentID]envfactory.EnvironmentRep `json:"environments"`
	Filters      map[config.FilterID]envfactory.FilterRep           `json:"filters"`
}

// Store keeps the last known configuration, so that a manager can start from it while the service is down. The keys in
// it are whole: a store has to protect them.
//
// A manager calls Load once, when it starts, and then at most one Save at a time. Both must return soon after the
// context has ended, and may be slow otherwise: no event waits for them. The snapshot that Save gets is not changed
// afterwards; the one that Load returns must not be either.
type Store interface {
	// Load returns what was saved last; nil and no error if there is nothing.
	Load(ctx context.Context) (*Snapshot, error)
	// Save replaces what was saved before, altogether or not at all.
	Save(ctx context.Context, snapshot *Snapshot) error
}
