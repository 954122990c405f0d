package envfactory

import (
	"time"

	"github.com/relayconf/relayconf/config"
)

// EnvironmentParams is everything that a relay needs to know of one environment.
type EnvironmentParams struct {
	EnvID       config.EnvironmentID
	Identifiers EnvIdentifiers
	SDKKey      config.SDKKey
	MobileKey   config.MobileKey // empty if the environment has none

	// ExpiringSDKKey is the accepted SDK key that expires next, and ExpiringSDKKeyTime is when. Both are zero if no
	// key expires.
	ExpiringSDKKey     config.SDKKey
	ExpiringSDKKeyTime time.Time

	// AcceptedSDKKeys has every SDK key that the environment accepts, SDKKey and ExpiringSDKKey included, in the order
	// in which the service lists them.
	AcceptedSDKKeys []AcceptedSDKKey
	// AcceptedMobileKeys has every mobile key that the environment accepts, MobileKey included.
	AcceptedMobileKeys []AcceptedMobileKey

	TTL        time.Duration // how long client-side responses may be cached; 0 is not at all
	SecureMode bool          // client-side requests must carry a hash of the user
}

// EnvIdentifiers names an environment for people.
type EnvIdentifiers struct {
	EnvKey   string // for example "production"
	EnvName  string // for example "Production"
	ProjKey  string // for example "web"
	ProjName string // for example "Web shop"
}

// AcceptedSDKKey is an SDK key that an environment accepts.
type AcceptedSDKKey struct {
	Name   string // what the service calls it; "default" for the default key; may be empty
	Value  config.SDKKey
	Expiry time.Time // zero: permanent
}

// AcceptedMobileKey is a mobile key that an environment accepts.
type AcceptedMobileKey struct {
	Name   string // what the service calls it; "default" for the default key; may be empty
	Value  config.MobileKey
	Expiry time.Time // zero: permanent
}

// FilterParams is everything that a relay needs to know of one payload filter.
type FilterParams struct {
	ID      config.FilterID
	Key     config.FilterKey
	ProjKey string
}
