package autoconfig

import "encoding/json"

// Change is one change to the known configuration, with the text of the item as the service sent it. Members that this
// version does not know are in the text, too.
type Change struct {
	Kind ChangeKind

	// ID is the id of the environment or the filter.
	ID string

	// Version is the version of the item; of an item that was deleted, the version of its deletion. An item that a put
	// removed has none: 0.
	Version int

	// Text is the JSON text of an item that was added or changed; nil otherwise. It must not be modified.
	Text json.RawMessage
}

// ChangeKind says which kind of item has changed, and how.
type ChangeKind string

// The kinds of changes.
const (
	// EnvironmentChanged: an environment is new, or has a new version, or a put has another text at the same version. The
	// last leads to no call of a MessageHandler, and comes again with each such put.
	EnvironmentChanged ChangeKind = "ENVIRONMENT_CHANGED"

	// EnvironmentDeleted: a delete, which has a version. It may be about an environment that was not known.
	EnvironmentDeleted ChangeKind = "ENVIRONMENT_DELETED"

	// EnvironmentRemoved: a put did not list an environment that was known.
	EnvironmentRemoved ChangeKind = "ENVIRONMENT_REMOVED"

	// FilterChanged is EnvironmentChanged for a filter.
	FilterChanged ChangeKind = "FILTER_CHANGED"

	// FilterDeleted is EnvironmentDeleted for a filter.
	FilterDeleted ChangeKind = "FILTER_DELETED"

	// FilterRemoved is EnvironmentRemoved for a filter.
	FilterRemoved ChangeKind = "FILTER_REMOVED"
)

// ChangeHandler is an optional interface of a MessageHandler, for a hub and other replicas that pass on or keep the
// configuration as it was received.
type ChangeHandler interface {
	// Changes is called once for each event that changed something, and for each put, before the handler's calls for the
	// same event. The put parameter is true for a put, which replaces everything: items that it does not list are removed,
	// and tombstones that it does not list are cleared. A put mentions only changed items.
	//
	// A configuration from a store is such a put, too; the tombstones that were stored come with it as deletions. Whether
	// the stream has confirmed the configuration is in Status.Source.
	Changes(put bool, changes []Change)
}
