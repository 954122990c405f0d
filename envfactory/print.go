package envfactory

import (
	"fmt"
	"log/slog"

	"github.com/relayconf/relayconf/internal/mask"
)

// Format prints the entry with its value masked with every verb.
func (r ConcurrentKeyRep) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Key:%s Value:%s Expiry:%s HasViews:%t}", r.Key, mask.Key(r.Value), r.expiryText(), r.HasViews)
}

func (r ConcurrentKeyRep) expiryText() string {
	if r.Expiry == nil {
		return "never"
	}
	return fmt.Sprint(uint64(*r.Expiry))
}

// LogValue logs the entry with its value masked.
func (r ConcurrentKeyRep) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// The handlers of package slog that write JSON would marshal a struct, and so write its keys whole; hence the methods
// below.

// LogValue logs the id, the name and the keys of the environment, masked.
func (r EnvironmentRep) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("envID", string(r.EnvID)),
		slog.String("name", r.ProjKey+"/"+r.EnvKey),
		slog.Any("sdkKey", r.SDKKey.Value),
		slog.Any("mobKey", r.MobKey),
		slog.Int("version", r.Version))
}

// LogValue logs the keys masked.
func (r SDKKeyRep) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// LogValue logs the key masked.
func (r ExpiringKeyRep) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// LogValue logs the id, the name and the keys of the environment, masked.
func (p EnvironmentParams) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("envID", string(p.EnvID)),
		slog.String("name", p.Identifiers.String()),
		slog.Any("sdkKey", p.SDKKey),
		slog.Any("mobileKey", p.MobileKey),
		slog.Any("expiringSDKKey", p.ExpiringSDKKey))
}

// LogValue logs the key masked.
func (k AcceptedKey[K]) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", k)) }
