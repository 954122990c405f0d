package wire

import (
	"bytes"
	"errors"
	"fmt"
)

// Kind is the kind of an item.
type Kind uint8

// The kinds of items.
const (
	Environment Kind = iota
	Filter
)

// ConfirmedPath is the path of a patch that changes nothing. A hub ends the unconfirmed part of a stream with it. Existing
// clients ignore it.
const ConfirmedPath = "/relayconf/confirmed"

// ErrIgnored marks an event that is not for relays: an unknown name, or a path that names neither an environment nor a
// filter.
var ErrIgnored = errors.New("event ignored")

// ErrUnknownEvent is an ErrIgnored.
var ErrUnknownEvent = fmt.Errorf("%w: unknown name", ErrIgnored)

var errPath = fmt.Errorf("%w: its path is not one of an environment or a filter", ErrIgnored)

// parsePath accepts paths with the leading slash, which services send, and without, which is how they are documented.
// The id is a part of the path.
func parsePath(path []byte) (Kind, []byte, error) {
	collection, id, _ := bytes.Cut(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	if len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		return 0, nil, errPath
	}
	switch string(collection) {
	case "environments":
		return Environment, id, nil
	case "filters":
		return Filter, id, nil
	}
	return 0, nil, errPath
}
