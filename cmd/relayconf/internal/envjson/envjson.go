// Package envjson is the JSON form of environments and filters, in every place where the command writes one: the
// lines of --format json, the input of a hook, and the output file. Its field names are stable: fields may be added,
// and none is renamed, removed or given another meaning.
package envjson

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// Keys says how keys are written.
type Keys bool

// The two ways to write keys.
const (
	Masked Keys = false // an ellipsis and at most the last four characters
	Whole  Keys = true  // as they are; only for those who need them
)

// Environment is one environment. Every field is always there.
type Environment struct {
	ID                 string       `json:"id"`
	ProjKey            string       `json:"projKey"`
	ProjName           string       `json:"projName"`
	EnvKey             string       `json:"envKey"`
	EnvName            string       `json:"envName"`
	SDKKey             string       `json:"sdkKey"`
	MobileKey          string       `json:"mobileKey"`      // empty if there is none
	ExpiringSDKKey     *ExpiringKey `json:"expiringSdkKey"` // null if no key expires
	AcceptedSDKKeys    []Key        `json:"acceptedSdkKeys"`
	AcceptedMobileKeys []Key        `json:"acceptedMobileKeys"`
	TTLSeconds         int64        `json:"ttlSeconds"`
	SecureMode         bool         `json:"secureMode"`
}

// ExpiringKey is the accepted SDK key that expires next.
type ExpiringKey struct {
	Value  string `json:"value"`
	Expiry Time   `json:"expiry"`
}

// Key is one accepted key.
type Key struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Expiry *Time  `json:"expiry"` // null: permanent
}

// Filter is a payload filter.
type Filter struct {
	ID      string `json:"id"`
	ProjKey string `json:"projKey"`
	Key     string `json:"key"`
}

// FromEnvironment makes the JSON form of an environment.
func FromEnvironment(p envfactory.EnvironmentParams, keys Keys) Environment {
	env := Environment{
		ID:                 string(p.EnvID),
		ProjKey:            p.Identifiers.ProjKey,
		ProjName:           p.Identifiers.ProjName,
		EnvKey:             p.Identifiers.EnvKey,
		EnvName:            p.Identifiers.EnvName,
		SDKKey:             keys.SDK(p.SDKKey),
		MobileKey:          keys.Mobile(p.MobileKey),
		AcceptedSDKKeys:    make([]Key, 0, len(p.AcceptedSDKKeys)),
		AcceptedMobileKeys: make([]Key, 0, len(p.AcceptedMobileKeys)),
		TTLSeconds:         int64(p.TTL / time.Second),
		SecureMode:         p.SecureMode,
	}
	if p.ExpiringSDKKey != "" {
		env.ExpiringSDKKey = &ExpiringKey{Value: keys.SDK(p.ExpiringSDKKey), Expiry: Time(p.ExpiringSDKKeyTime)}
	}
	for _, k := range p.AcceptedSDKKeys {
		env.AcceptedSDKKeys = append(env.AcceptedSDKKeys, Key{k.Name, keys.SDK(k.Value), expiry(k.Expiry)})
	}
	for _, k := range p.AcceptedMobileKeys {
		env.AcceptedMobileKeys = append(env.AcceptedMobileKeys, Key{k.Name, keys.Mobile(k.Value), expiry(k.Expiry)})
	}
	return env
}

// FromFilter makes the JSON form of a filter.
func FromFilter(p envfactory.FilterParams) Filter {
	return Filter{ID: string(p.ID), ProjKey: p.ProjKey, Key: string(p.Key)}
}

// SDK writes an SDK key.
func (k Keys) SDK(key config.SDKKey) string {
	if k == Whole {
		return string(key)
	}
	return key.String()
}

// Mobile writes a mobile key.
func (k Keys) Mobile(key config.MobileKey) string {
	if k == Whole {
		return string(key)
	}
	return key.String()
}

func expiry(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	form := Time(t)
	return &form
}

// Time is written in UTC as RFC 3339 has it, with milliseconds.
type Time time.Time

// lastTime stands for every time after it: RFC 3339 has four digits for the year, and keys may expire later than that.
var lastTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// MarshalText never fails, unlike that of time.Time.
func (t Time) MarshalText() ([]byte, error) {
	utc := time.Time(t).UTC()
	if utc.After(lastTime) {
		utc = lastTime
	}
	return []byte(utc.Format("2006-01-02T15:04:05.000Z07:00")), nil
}

// UnmarshalText decodes a time as MarshalText encodes it.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339, string(text))
	*t = Time(parsed)
	return err
}

// Line encodes a value on one line that ends with a line feed. Characters that matter in HTML stay as they are; those that
// a terminal would obey are escaped.
func Line(value any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return terminal.EscapeJSON(line.Bytes()), err
}
