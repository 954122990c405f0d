package change

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// changedFields names the fields of envjson.Environment in which two versions of an environment differ.
func changedFields(before, after envfactory.EnvironmentParams) []string {
	fields := []struct {
		name string
		same bool
	}{
		{"projKey", before.Identifiers.ProjKey == after.Identifiers.ProjKey},
		{"projName", before.Identifiers.ProjName == after.Identifiers.ProjName},
		{"envKey", before.Identifiers.EnvKey == after.Identifiers.EnvKey},
		{"envName", before.Identifiers.EnvName == after.Identifiers.EnvName},
		{"sdkKey", before.SDKKey == after.SDKKey},
		{"mobileKey", before.MobileKey == after.MobileKey},
		{"expiringSdkKey", before.ExpiringSDKKey == after.ExpiringSDKKey &&
			before.ExpiringSDKKeyTime.Equal(after.ExpiringSDKKeyTime)},
		{"acceptedSdkKeys", slices.EqualFunc(sdkKeys(before), sdkKeys(after), acceptedKey.equal)},
		{"acceptedMobileKeys", slices.EqualFunc(mobileKeys(before), mobileKeys(after), acceptedKey.equal)},
		{"ttlSeconds", before.TTL == after.TTL},
		{"secureMode", before.SecureMode == after.SecureMode},
	}
	changed := []string{}
	for _, field := range fields {
		if !field.same {
			changed = append(changed, field.name)
		}
	}
	return changed
}

// Differences describes an update in words, with keys masked. It is empty if no visible field has changed.
func Differences(before, after envfactory.EnvironmentParams) []string {
	var words []string
	words = append(words, keyDifferences("key", string(before.SDKKey), string(after.SDKKey), sdkKeys(before), sdkKeys(after))...)
	words = append(words, keyDifferences("mobile key", string(before.MobileKey), string(after.MobileKey),
		mobileKeys(before), mobileKeys(after))...)
	for _, text := range []struct{ name, before, after string }{
		{"name", before.Identifiers.EnvName, after.Identifiers.EnvName},
		{"environment key", before.Identifiers.EnvKey, after.Identifiers.EnvKey},
		{"project name", before.Identifiers.ProjName, after.Identifiers.ProjName},
		{"project key", before.Identifiers.ProjKey, after.Identifiers.ProjKey},
	} {
		if text.before != text.after {
			words = append(words, fmt.Sprintf("%s %s -> %s", text.name, strconv.Quote(text.before), strconv.Quote(text.after)))
		}
	}
	if before.TTL != after.TTL {
		words = append(words, fmt.Sprintf("TTL %s -> %s", Duration(before.TTL), Duration(after.TTL)))
	}
	if before.SecureMode != after.SecureMode {
		words = append(words, "secure mode "+onOff(after.SecureMode))
	}
	return words
}

// keyDifferences describes how the default key and the other accepted keys of one sort have changed.
func keyDifferences(sort, before, after string, acceptedBefore, acceptedAfter []acceptedKey) []string {
	var words []string
	rotated := before != after
	switch {
	case rotated && before == "":
		words = append(words, sort+" added "+masked(after))
	case rotated && after == "":
		words = append(words, sort+" removed "+masked(before))
	case rotated:
		rotation := sort + " rotated " + masked(after) + ", old key " + masked(before)
		if old, accepted := find(acceptedAfter, before); !accepted {
			rotation += " no longer accepted"
		} else {
			rotation += " " + old.fate()
		}
		words = append(words, rotation)
	}
	for _, now := range acceptedAfter {
		if now.value == after || (rotated && now.value == before) {
			continue
		}
		if was, accepted := find(acceptedBefore, now.value); !accepted {
			words = append(words, fmt.Sprintf("accepted %s added %s", sort, now))
		} else if !was.equal(now) {
			words = append(words, fmt.Sprintf("accepted %s %s", sort, now))
		}
	}
	for _, was := range acceptedBefore {
		if _, accepted := find(acceptedAfter, was.value); !accepted && (!rotated || was.value != before) {
			words = append(words, fmt.Sprintf("accepted %s removed %s", sort, masked(was.value)))
		}
	}
	return words
}

// Summary describes an environment in words, with keys masked.
func Summary(p envfactory.EnvironmentParams) []string {
	words := []string{"key " + masked(string(p.SDKKey))}
	for _, k := range sdkKeys(p) {
		if k.value != string(p.SDKKey) {
			words = append(words, "also accepted "+k.String())
		}
	}
	if p.MobileKey != "" {
		words = append(words, "mobile key "+masked(string(p.MobileKey)))
	}
	for _, k := range mobileKeys(p) {
		if k.value != string(p.MobileKey) {
			words = append(words, "also accepted mobile key "+k.String())
		}
	}
	words = append(words, "TTL "+Duration(p.TTL))
	if p.SecureMode {
		words = append(words, "secure mode")
	}
	return words
}

// acceptedKey is an accepted SDK or mobile key.
type acceptedKey struct {
	name, value string
	expiry      time.Time
}

func sdkKeys(p envfactory.EnvironmentParams) []acceptedKey {
	keys := make([]acceptedKey, 0, len(p.AcceptedSDKKeys))
	for _, k := range p.AcceptedSDKKeys {
		keys = append(keys, acceptedKey{k.Name, string(k.Value), k.Expiry})
	}
	return keys
}

func mobileKeys(p envfactory.EnvironmentParams) []acceptedKey {
	keys := make([]acceptedKey, 0, len(p.AcceptedMobileKeys))
	for _, k := range p.AcceptedMobileKeys {
		keys = append(keys, acceptedKey{k.Name, string(k.Value), k.Expiry})
	}
	return keys
}

func find(keys []acceptedKey, value string) (acceptedKey, bool) {
	for _, k := range keys {
		if k.value == value {
			return k, true
		}
	}
	return acceptedKey{}, false
}

func (k acceptedKey) equal(other acceptedKey) bool {
	return k.name == other.name && k.value == other.value && k.expiry.Equal(other.expiry)
}

func (k acceptedKey) fate() string {
	if k.expiry.IsZero() {
		return "does not expire"
	}
	return "expires " + k.expiry.UTC().Format(time.RFC3339)
}

func (k acceptedKey) String() string {
	if k.name == "" {
		return masked(k.value) + " " + k.fate()
	}
	return masked(k.value) + " (" + strconv.Quote(k.name) + ") " + k.fate()
}

func masked(key string) string { return terminal.Plain(config.SDKKey(key).String()) }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Duration writes a duration without the zero parts at its end: 5m rather than 5m0s.
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
