// Package change turns the calls of the stream manager into changes: values with the event, the
// environment, and its state before, for everything that shows changes or acts on them.
package change

import (
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// Kind is the kind of a change. The values are those of the field "change" in JSON.
type Kind string

// The kinds of changes.
const (
	Added            Kind = "added"              // an environment is new
	Updated          Kind = "updated"            // an environment has changed
	Removed          Kind = "removed"            // an environment is gone
	KeyExpired       Kind = "key-expired"        // an SDK key is no longer accepted, as announced
	MobileKeyExpired Kind = "mobile-key-expired" // a mobile key is no longer accepted, as announced
	FilterAdded      Kind = "filter-added"       // a payload filter is new
	FilterRemoved    Kind = "filter-removed"     // a payload filter is gone
	ReceivedAll      Kind = "received-all"       // the known configuration is whole
	KeepAlive        Kind = "keepalive"          // the service says that the stream lives
	Interrupted      Kind = "interrupted"        // the stream was lost; the known configuration stays in force
	Recovered        Kind = "recovered"          // the stream is back
	CacheLoaded      Kind = "cache-loaded"       // the last known configuration comes next
	StreamTookOver   Kind = "stream-took-over"   // the stream comes next, after the cache
	LeftOut          Kind = "left-out"           // lines were left out here, since nobody read them in time
)

// Change is one thing that happened.
type Change struct {
	Time time.Time
	Kind Kind

	// Env is the environment after the change; for Removed, as it was last.
	Env envfactory.EnvironmentParams
	// Before is the environment before the change, for Updated.
	Before envfactory.EnvironmentParams
	// SDKKey or MobileKey is the expired key, for KeyExpired and the like.
	SDKKey    config.SDKKey
	MobileKey config.MobileKey
	// Filter is for FilterAdded and FilterRemoved.
	Filter envfactory.FilterParams
	// Environments and Filters are how many there are, for ReceivedAll; Environments also for CacheLoaded.
	Environments, Filters int
	// FromCache tells where the whole came from, for ReceivedAll.
	FromCache bool
	// Age is the age of the loaded configuration, for CacheLoaded.
	Age time.Duration
	// Comment is the text of a keepalive; mostly empty.
	Comment string
	// Reason is why the stream was interrupted.
	Reason string
	// Lines is how many lines were left out, for LeftOut.
	Lines int
	// Lost is how long the stream was interrupted, for Recovered.
	Lost time.Duration
}

// OfConfiguration tells whether the change concerns the configuration, its completeness included, rather than the
// stream.
func (k Kind) OfConfiguration() bool {
	switch k {
	case KeepAlive, Interrupted, Recovered, CacheLoaded, StreamTookOver, LeftOut:
		return false
	default:
		return true
	}
}
