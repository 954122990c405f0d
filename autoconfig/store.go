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

	// Texts has the JSON texts of the environments and filters as they were received, so that members which this version
	// does not know survive a restart and an upgrade. Snapshots of older versions have none.
	Texts *SnapshotTexts `json:"texts,omitempty"`

	// Tombstones has the versions of items that were deleted, so that older news of them stay ignored after a restart.
	Tombstones *SnapshotTombstones `json:"tombstones,omitempty"`

	// Digest is the digest of the configuration, which a stream can be resumed from; see Status.Digest. Empty if a put is
	// needed.
	Digest string `json:"digest,omitempty"`
}

// SnapshotTexts are the texts of a Snapshot's items, by id.
type SnapshotTexts struct {
	Environments map[config.EnvironmentID]string `json:"environments"`
	Filters      map[config.FilterID]string      `json:"filters"`
}

// SnapshotTombstones are the versions of deletions, by id.
type SnapshotTombstones struct {
	Environments map[config.EnvironmentID]int `json:"environments"`
	Filters      map[config.FilterID]int      `json:"filters"`
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

// WithStore makes the manager keep its configuration in a store, and start from what is there.
//
// Start loads from the store, and connects as soon as that is done, but 200 ms later at the latest: the first connection
// can go on from the stored configuration if the service is a hub. What was stored is given to the handler as a put would
// be, unless a put from the stream is there first. The first put from the stream is then compared with it, so that what is
// the same is not mentioned again. Status.Source tells which of the two is in force; the state stays
// StateInitializing until the stream has delivered.
//
// A change is saved half a second later, or, if saving takes long, four times as long as the last save took; and when
// the manager ends, for which Done waits up to 5 s. What the stream delivers first after Start and after SetKey is saved
// even if it is the same, so that a store which encrypts with the key follows. A store that fails is reported in the
// log and in Status.StoreFailures, and tried again. One that hangs beyond those 5 s is left behind.
func WithStore(store Store) Option { return func(s *settings) { s.store = store } }

// Source says where the configuration in force comes from.
type Source string

// The sources of a configuration.
const (
	// SourceNone means that there is no configuration yet.
	SourceNone Source = "NONE"
	// SourceStore means that it was loaded from the store, and that the stream has yet to confirm it.
	SourceStore Source = "STORE"
	// SourceStream means that the stream has delivered it.
	SourceStream Source = "STREAM"
)
