package autoconfig

import (
	"bytes"
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
	environments *putList[config.EnvironmentID, environment]
	filters      *putList[config.FilterID, envfactory.FilterRep]
}

type patchMessage struct {
	id    config.EnvironmentID // from the path
	fresh *item[environment]
}

type filterPatchMessage struct {
	id    config.FilterID
	fresh *item[envfactory.FilterRep]
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

// environmentID is what parsePath finds in the path of an environment, without a copy.
func environmentID(path []byte) (id []byte, ok bool) {
	id, ok = bytes.CutPrefix(bytes.TrimPrefix(path, []byte("/")), []byte("environments/"))
	return id, ok && len(id) > 0 && bytes.IndexByte(id, '/') < 0
}
