package envfactory

import (
	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
)

// EnvironmentRep is an environment as the stream represents it. Fields that are missing or null in the JSON have
// their zero value.
type EnvironmentRep struct {
	EnvID      config.EnvironmentID `json:"envID"`
	EnvKey     string               `json:"envKey"`
	EnvName    string               `json:"envName"`
	ProjKey    string               `json:"projKey"`
	ProjName   string               `json:"projName"`
	MobKey     config.MobileKey     `json:"mobKey"`
	SDKKey     SDKKeyRep            `json:"sdkKey"`
	SDKKeys    []ConcurrentKeyRep   `json:"sdkKeys,omitempty"`    // every accepted SDK key; empty if the service does not say
	MobileKeys []ConcurrentKeyRep   `json:"mobileKeys,omitempty"` // every accepted mobile key; empty if the service does not say
	DefaultTTL int                  `json:"defaultTtl"`           // minutes
	SecureMode bool                 `json:"secureMode"`
	Version    int                  `json:"version"`
}

// SDKKeyRep is the default SDK key of an environment, and the former one, if that is still accepted.
type SDKKeyRep struct {
	Value    config.SDKKey  `json:"value"`
	Expiring ExpiringKeyRep `json:"expiring,omitzero"`
}

// ExpiringKeyRep is an SDK key that is accepted until a certain time.
type ExpiringKeyRep struct {
	Value     config.SDKKey              `json:"value"`
	Timestamp ldtime.UnixMillisecondTime `json:"timestamp"`
}

// ConcurrentKeyRep is one entry in a list of accepted keys.
type ConcurrentKeyRep struct {
	Key      string                      `json:"key"`      // the key's name; not a secret
	Value    string                      `json:"value"`    // the key itself, for SDKs
	Expiry   *ldtime.UnixMillisecondTime `json:"expiry"`   // nil: permanent
	HasViews bool                        `json:"hasViews"` // restricted to views, which relays can't serve: not accepted
}

// FilterRep is a payload filter as the stream represents it.
type FilterRep struct {
	ProjKey   string           `json:"projKey"`
	FilterKey config.FilterKey `json:"key"`
	Version   int              `json:"version"`
}
