package autoconfig

import (
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/wire"
)

// The names of the events on the stream.
const (
	PutEvent       = wire.PutEvent       // the whole configuration
	PatchEvent     = wire.PatchEvent     // one environment or filter, new or changed
	DeleteEvent    = wire.DeleteEvent    // one environment or filter is gone
	ReconnectEvent = wire.ReconnectEvent // the key's policy has changed: reconnect for a new put
)

// PutMessageData is the data of a put event.
type PutMessageData struct {
	Path string     `json:"path"` // always "/"
	Data PutContent `json:"data"`
}

// PutContent is the whole configuration that an auto-configuration key may see.
type PutContent struct {
	Environments map[config.EnvironmentID]envfactory.EnvironmentRep `json:"environments"`
	Filters      map[config.FilterID]envfactory.FilterRep           `json:"filters,omitempty"`
}

// PatchMessageData is the data of a patch event for an environment.
type PatchMessageData struct {
	Path string                    `json:"path"` // "/environments/ID"
	Data envfactory.EnvironmentRep `json:"data"`
}

// DeleteMessageData is the data of a delete event.
type DeleteMessageData struct {
	Path    string `json:"path"` // "/environments/ID" or "/filters/ID"
	Version int    `json:"version"`
}
