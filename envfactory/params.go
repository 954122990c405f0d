package envfactory

import (
	"slices"
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
	// SDK key expires.
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

	// FilterKey is empty for a whole environment, which is all that the stream tells of. A relay that serves an
	// environment filtered sets it to FilterParams.Key, in a copy of the params for each filter of the project.
	FilterKey config.FilterKey
}

// String returns the project's and the environment's key, for example "web/production", or "web/production (eu-only)"
// with a FilterKey.
func (i EnvIdentifiers) String() string {
	name := i.ProjKey + "/" + i.EnvKey
	if i.FilterKey != "" {
		name += " (" + string(i.FilterKey) + ")"
	}
	return name
}

// AcceptedKey is a key that an environment accepts.
type AcceptedKey[K config.SDKKey | config.MobileKey] struct {
	Name   string // the service's name for it: "default" for the default key; may be empty
	Value  K
	Expiry time.Time // zero: permanent
}

// AcceptedSDKKey is an SDK key that an environment accepts.
type AcceptedSDKKey = AcceptedKey[config.SDKKey]

// AcceptedMobileKey is a mobile key that an environment accepts.
type AcceptedMobileKey = AcceptedKey[config.MobileKey]

// FilterParams is everything that a relay needs to know of one payload filter.
type FilterParams struct {
	ID      config.FilterID
	Key     config.FilterKey
	ProjKey string
}

// At returns the params as they are at a certain time: without the keys that have expired by then. The receiver and
// its slices stay as they are.
func (p EnvironmentParams) At(now time.Time) EnvironmentParams {
	p.AcceptedSDKKeys = unexpired(p.AcceptedSDKKeys, now)
	p.AcceptedMobileKeys = unexpired(p.AcceptedMobileKeys, now)
	p.ExpiringSDKKey, p.ExpiringSDKKeyTime = nextToExpire(p.AcceptedSDKKeys)
	return p
}

// WithoutSDKKey returns the params without an SDK key that has expired. The receiver and its slices stay as they are.
func (p EnvironmentParams) WithoutSDKKey(expired config.SDKKey) EnvironmentParams {
	p.AcceptedSDKKeys = slices.DeleteFunc(slices.Clone(p.AcceptedSDKKeys), func(k AcceptedSDKKey) bool { return k.Value == expired })
	p.ExpiringSDKKey, p.ExpiringSDKKeyTime = nextToExpire(p.AcceptedSDKKeys)
	return p
}

func (k AcceptedKey[K]) expired(now time.Time) bool {
	return !k.Expiry.IsZero() && !now.Before(k.Expiry)
}

// unexpired returns keys itself where none has expired, which is nearly always.
func unexpired[K config.SDKKey | config.MobileKey](keys []AcceptedKey[K], now time.Time) []AcceptedKey[K] {
	for i, key := range keys {
		if !key.expired(now) {
			continue
		}
		kept := append([]AcceptedKey[K](nil), keys[:i]...)
		for _, later := range keys[i+1:] {
			if !later.expired(now) {
				kept = append(kept, later)
			}
		}
		return kept
	}
	return keys
}

// nextToExpire returns the key that expires next, and when; zeros if none does.
func nextToExpire(keys []AcceptedSDKKey) (config.SDKKey, time.Time) {
	var next *AcceptedSDKKey
	for i := range keys {
		if key := &keys[i]; !key.Expiry.IsZero() && (next == nil || key.Expiry.Before(next.Expiry)) {
			next = key
		}
	}
	if next == nil {
		return "", time.Time{}
	}
	return next.Value, next.Expiry
}
