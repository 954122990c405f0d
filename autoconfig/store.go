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
	FormatVersion int `json:"formatVersion"` // see SnapshotFormat
	// SavedAt is when the snapshot was made.
	SavedAt time.Time `json:"savedAt"`
	// ConfirmedAt is when the service last confirmed the configuration: when the last byte came, as of a keepalive, on a
	// connection that had brought a put. Snapshots of older versions have none: see LastConfirmed.
	ConfirmedAt time.Time `json:"confirmedAt,omitzero"`

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

// LastConfirmed returns ConfirmedAt, or SavedAt if there is none.
func (s *Snapshot) LastConfirmed() time.Time {
	if s.ConfirmedAt.IsZero() {
		return s.SavedAt
	}
	return s.ConfirmedAt
}

// Store keeps the last known configuration, so that a manager can start from it while the service is down. The keys in
// it are whole: a store has to protect them (see package store/sealed).
//
// A manager calls Load once, when it starts, and then at most one Save at a time. Both must return soon after the
// context has ended, and may be slow otherwise: no event waits for them. The snapshot that Save gets is not changed
// afterwards; the snapshot from Load must not be either. A manager's log names a store by its method String, if it
// has one, and by its type otherwise.
type Store interface {
	// Load returns the snapshot that was saved last; nil and no error if there is none. It must not change or remove one
	// that can't be decrypted: the key may be a mistake.
	Load(ctx context.Context) (*Snapshot, error)
	// Save replaces the saved snapshot, altogether or not at all. A manager calls it only with a configuration from the
	// service, which has thus accepted the key.
	Save(ctx context.Context, snapshot *Snapshot) error
}

// KeyedStore is a Store that encrypts with the auto-configuration key, and so has to follow when that is rotated: with
// the new key alone, a relay that restarts could not read a snapshot saved with the former one.
type KeyedStore interface {
	Store
	// RotateKey makes the store encrypt with key from the next Save on, if it encrypts with former now. If it has a secret
	// of its own instead, it does nothing. A manager calls it after SetKey, never during a Save, once the service has sent
	// a put to a request with the new key.
	RotateKey(former, key config.AutoConfigKey)
}

// WithStore makes the manager keep its configuration in a store, and start from the stored one.
//
// Start loads from the store, and connects as soon as that is done, but 200 ms later at the latest: the first connection
// can go on from the stored configuration if the service is a hub. The stored configuration is given to the
// handler as a put would be, unless a put from the stream is there first. The first put from the stream is then
// compared with it, so that unchanged items are not mentioned again. Status.Source tells which of the two is in force;
// the state stays StateInitializing until the stream has delivered.
//
// A change is saved half a second later, or, if saving takes long, four times as long as the last save took; and when
// the manager ends, for which Done waits up to 5 s. A put is saved even if nothing in it is new, within half a minute, and
// a configuration that the service goes on to confirm with keepalives is saved again every 30 to 50 minutes. So a store
// that has lost its snapshot gets it again, and the time at which a snapshot was confirmed is never much older than an
// hour while the stream is up. Both delays are random, so that a fleet that shares a store does not save all at once.
//
// A store that fails is reported in the log and in Status.StoreFailures, and tried again. One that hangs beyond those 5 s
// is left behind. See KeyedStore for the effect of SetKey on a store.
func WithStore(store Store) Option { return func(s *settings) { s.store = store } }

// Source says where the configuration in force comes from.
type Source string

// The sources of a configuration.
const (
	// SourceNone means that there is no configuration yet.
	SourceNone Source = "NONE"
	// SourceStore means that it was loaded from the store, and that the stream has yet to confirm it; or that it came from a
	// hub that has started from its own store, and has yet to say that the service has confirmed it.
	SourceStore Source = "STORE"
	// SourceStream means that the stream has delivered it.
	SourceStream Source = "STREAM"
)
