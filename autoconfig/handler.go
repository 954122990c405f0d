package autoconfig

import (
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// MessageHandler is the relay's side. It is called when the configuration changes.
//
// Calls are made one at a time, from one goroutine, never before StreamManager.Start and never after
// StreamManager.Done is closed. While a call runs nothing is read from the stream, but for 256 KiB of a put that has
// begun, and no time counts against the read timeout, so a slow handler loses nothing. A handler that panics ends the
// program, as in any goroutine.
type MessageHandler interface {
	// AddEnvironment tells of an environment that was not there before.
	AddEnvironment(params envfactory.EnvironmentParams)
	// UpdateEnvironment tells of a change to an environment that was added earlier. The params are complete.
	UpdateEnvironment(params envfactory.EnvironmentParams)
	// ReceivedAllEnvironments follows the changes that one full configuration brought, even if there were none.
	ReceivedAllEnvironments()
	// DeleteEnvironment tells that an environment is gone, or may not be seen any more.
	DeleteEnvironment(id config.EnvironmentID)
	// KeyExpired tells that the time of an SDK key has come which was announced as expiring.
	KeyExpired(id config.EnvironmentID, oldKey config.SDKKey)
}

// FilterHandler is for a MessageHandler that also serves payload filters. They are sent only to a manager with
// protocol version 2: see WithProtocolVersion.
type FilterHandler interface {
	AddFilter(params envfactory.FilterParams)
	DeleteFilter(id config.FilterID)
}

// MobileKeyHandler is for a MessageHandler that also wants to know when a mobile key has expired.
type MobileKeyHandler interface {
	MobileKeyExpired(id config.EnvironmentID, oldKey config.MobileKey)
}

// KeepAliveHandler is for a MessageHandler that also wants to see the comments that keep the stream alive.
type KeepAliveHandler interface {
	KeepAlive(comment string)
}
