package state

import "github.com/relayconf/relayconf/internal/wire"

// Change is one change to the known configuration.
type Change struct {
	Kind    ChangeKind
	ID      string     // of the environment or the filter
	Version int        // of the item, or of its deletion; 0 if a put removed it
	Fresh   *wire.Item // the item; nil if it is gone
	Old     string     // the text before the change; empty if the item was not known
	Key     *ExpiringKey
}

// Text is the text of the item; empty if it is gone.
func (c *Change) Text() string {
	if c.Fresh == nil {
		return ""
	}
	return c.Fresh.Text
}

// ChangeKind says which kind of item has changed, and how.
type ChangeKind uint8

// The kinds of changes.
const (
	EnvironmentAdded ChangeKind = iota
	EnvironmentUpdated
	EnvironmentRewritten // a put has another text at the same version; the known one stays
	EnvironmentDeleted   // by a delete; it need not have been known
	EnvironmentRemoved   // by a put
	FilterAdded
	FilterUpdated
	FilterRewritten
	FilterDeleted
	FilterRemoved
	AllReceived // a put was applied; the last change of each put
	KeyExpired  // the time of Key has come
)

// Outcome is the result of applying a message.
type Outcome struct {
	Changes []Change
	Stale   []Stale
	Ignored []error // parts of the message that were left out

	// InvalidKeys is set if an environment was left as it was because its keys contradict each other. A new put may mend
	// that.
	InvalidKeys error
}

// Stale is an item that was ignored because its version is older than the known one, or, in a patch or a delete, the
// same.
type Stale struct {
	ID      string
	Version int // as received
	Known   int
}
