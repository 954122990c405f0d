package autoconfigtest

import (
	"fmt"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// CallKind is the method of a handler that was called.
type CallKind string

// The kinds of calls, named as the methods are.
const (
	AddEnvironment          CallKind = "AddEnvironment"
	UpdateEnvironment       CallKind = "UpdateEnvironment"
	ReceivedAllEnvironments CallKind = "ReceivedAllEnvironments"
	DeleteEnvironment       CallKind = "DeleteEnvironment"
	KeyExpired              CallKind = "KeyExpired"
	MobileKeyExpired        CallKind = "MobileKeyExpired"
	AddFilter               CallKind = "AddFilter"
	DeleteFilter            CallKind = "DeleteFilter"
	KeepAlive               CallKind = "KeepAlive"
)

// Call is one call that a Recorder got. Fields that do not belong to its kind are zero.
type Call struct {
	Kind      CallKind
	ID        config.EnvironmentID         // of every call about an environment
	Params    envfactory.EnvironmentParams // of AddEnvironment and UpdateEnvironment
	SDKKey    config.SDKKey                // of KeyExpired
	MobileKey config.MobileKey             // of MobileKeyExpired
	FilterID  config.FilterID              // of AddFilter and DeleteFilter
	Filter    envfactory.FilterParams      // of AddFilter
	Comment   string                       // of KeepAlive
}

// String returns the call in a line, such as "AddEnvironment web/production" or "KeyExpired <id> …0001". Keys are
// masked.
func (c Call) String() string {
	switch c.Kind {
	case AddEnvironment, UpdateEnvironment:
		return fmt.Sprintf("%s %s/%s", c.Kind, c.Params.Identifiers.ProjKey, c.Params.Identifiers.EnvKey)
	case DeleteEnvironment:
		return fmt.Sprintf("%s %s", c.Kind, c.ID)
	case KeyExpired:
		return fmt.Sprintf("%s %s %s", c.Kind, c.ID, c.SDKKey)
	case MobileKeyExpired:
		return fmt.Sprintf("%s %s %s", c.Kind, c.ID, c.MobileKey)
	case AddFilter, DeleteFilter:
		return fmt.Sprintf("%s %s", c.Kind, c.FilterID)
	case KeepAlive:
		return fmt.Sprintf("%s %q", c.Kind, c.Comment)
	default:
		return string(c.Kind)
	}
}
