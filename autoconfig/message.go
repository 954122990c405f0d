package autoconfig

import (
	"errors"
	"fmt"
	"strings"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// message is a decoded event: one of putMessage, patchMessage, filterPatchMessage and deleteMessage.
type message any

// putMessage is the whole configuration. Unlike PutContent it keeps the order of the event.
type putMessage struct {
	environments []listed[config.EnvironmentID, envfactory.EnvironmentRep]
	filters      []listed[config.FilterID, envfactory.FilterRep]
}

// listed is a member of one of a put's maps.
type listed[ID ~string, V any] struct {
	id    ID
	value V
}

type patchMessage struct {
	id  config.EnvironmentID // from the path
	rep envfactory.EnvironmentRep
}

type filterPatchMessage struct {
	id  config.FilterID
	rep envfactory.FilterRep
}

type deleteMessage struct {
	target  target
	version int
}

// errIgnored marks an event that is not for us.
var errIgnored = errors.New("event ignored")

var (
	errUnknownEvent = fmt.Errorf("%w: unknown name", errIgnored)
	errPath         = fmt.Errorf("%w: its path is not one of an environment or a filter", errIgnored)
)

// decode makes a message of an event. It returns errIgnored, wrapped, for a path or an event name that means nothing
// here; any other error means that the data is malformed. No error quotes the data, which has keys in it.
func decode(name string, data []byte) (message, error) {
	switch name {
	case PutEvent:
		return decodePut(data)
	case PatchEvent:
		return decodePatch(data)
	case DeleteEvent:
		return decodeDelete(data)
	default:
		return nil, errUnknownEvent
	}
}

// target is what the path of a patch or a delete names.
type target struct {
	kind targetKind
	id   string
}

type targetKind int

const (
	environmentTarget targetKind = iota
	filterTarget
)

// parsePath takes paths with the leading slash, which services send, and without, which is how they are documented.
func parsePath(path string) (target, error) {
	collection, id, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if id == "" || strings.Contains(id, "/") {
		return target{}, errPath
	}
	switch collection {
	case "environments":
		return target{environmentTarget, id}, nil
	case "filters":
		return target{filterTarget, id}, nil
	}
	return target{}, errPath
}
