package config

import (
	"fmt"
	"log/slog"

	"github.com/relayconf/relayconf/internal/mask"
)

// SDKCredential is anything that a request to the service can be authorized with.
type SDKCredential interface {
	// GetAuthorizationHeaderValue returns the whole value of the Authorization header, which has no scheme.
	// It is empty if this credential is not sent in that header.
	GetAuthorizationHeaderValue() string
}

// AutoConfigKey authorizes a relay to follow the auto-configuration stream ("rel-…"). It prints masked: an ellipsis
// and its last four characters, or fewer if it has fewer than 16. string(key) is the raw value, and so is the key in JSON.
//
// Package fmt prints the raw value in two cases that no method can change: a key in an unexported field of a struct
// that is printed, and the verbs %p and %w, which go vet reports.
type AutoConfigKey string

// SDKKey is the secret of a server-side SDK ("sdk-…"). It prints masked, as AutoConfigKey does.
type SDKKey string

// MobileKey is the secret of a mobile SDK ("mob-…"). It prints masked, as AutoConfigKey does.
type MobileKey string

// GetAuthorizationHeaderValue returns the raw key.
func (k AutoConfigKey) GetAuthorizationHeaderValue() string { return string(k) }

// GetAuthorizationHeaderValue returns the raw key.
func (k SDKKey) GetAuthorizationHeaderValue() string { return string(k) }

// GetAuthorizationHeaderValue returns the raw key.
func (k MobileKey) GetAuthorizationHeaderValue() string { return string(k) }

// String returns the masked key.
func (k AutoConfigKey) String() string { return mask.Key(string(k)) }

// String returns the masked key.
func (k SDKKey) String() string { return mask.Key(string(k)) }

// String returns the masked key.
func (k MobileKey) String() string { return mask.Key(string(k)) }

// Format prints the masked key with every verb.
func (k AutoConfigKey) Format(f fmt.State, verb rune) {
	mask.Format(f, verb, "config.AutoConfigKey", string(k))
}

// Format prints the masked key with every verb.
func (k SDKKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, "config.SDKKey", string(k)) }

// Format prints the masked key with every verb.
func (k MobileKey) Format(f fmt.State, verb rune) {
	mask.Format(f, verb, "config.MobileKey", string(k))
}

// LogValue logs the masked key.
func (k AutoConfigKey) LogValue() slog.Value { return slog.StringValue(mask.Key(string(k))) }

// LogValue logs the masked key.
func (k SDKKey) LogValue() slog.Value { return slog.StringValue(mask.Key(string(k))) }

// LogValue logs the masked key.
func (k MobileKey) LogValue() slog.Value { return slog.StringValue(mask.Key(string(k))) }

// UnmarshalText takes the raw key. It never fails.
func (k *AutoConfigKey) UnmarshalText(text []byte) error { *k = AutoConfigKey(text); return nil }

// UnmarshalText takes the raw key. It never fails.
func (k *SDKKey) UnmarshalText(text []byte) error { *k = SDKKey(text); return nil }

// UnmarshalText takes the raw key. It never fails.
func (k *MobileKey) UnmarshalText(text []byte) error { *k = MobileKey(text); return nil }
