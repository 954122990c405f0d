package envfactory

import (
	"math"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
)

// defaultKeyName is the service's name for the default key in its lists of keys.
const defaultKeyName = "default"

// lastMillisecond ends the year 9999, the last that JSON and most databases can represent. Later times count as this.
const lastMillisecond = 253402300799999

// ToParams returns the params of the environment. Keys that have expired are still in it: see
// EnvironmentParams.At. The set of keys is taken as it is: see ValidateKeys.
func (r EnvironmentRep) ToParams() (p EnvironmentParams) {
	p = EnvironmentParams{
		EnvID: r.EnvID,
		Identifiers: EnvIdentifiers{
			EnvKey: r.EnvKey, EnvName: r.EnvName, ProjKey: r.ProjKey, ProjName: r.ProjName,
		},
		SDKKey:     r.SDKKey.Value,
		MobileKey:  r.MobKey,
		TTL:        ttl(r.DefaultTTL),
		SecureMode: r.SecureMode,
	}
	p.acceptKeys(&r)
	// Where the service lists the keys, expiries come from the list alone.
	if old := r.SDKKey.Expiring; len(r.SDKKeys) == 0 && old.Value != "" && old.Value != r.SDKKey.Value {
		p.AcceptedSDKKeys = append(p.AcceptedSDKKeys,
			AcceptedSDKKey{Value: old.Value, Expiry: timeOf(old.Timestamp)})
	}
	p.ExpiringSDKKey, p.ExpiringSDKKeyTime = nextToExpire(p.AcceptedSDKKeys)
	return p
}

// ToParams returns the params of the filter.
func (r FilterRep) ToParams(id config.FilterID) FilterParams {
	return FilterParams{ID: id, Key: r.FilterKey, ProjKey: r.ProjKey}
}

func (p *EnvironmentParams) acceptKeys(r *EnvironmentRep) {
	if len(r.SDKKeys) == 0 && len(r.MobileKeys) == 0 && r.SDKKey.Value != "" && r.MobKey != "" {
		// Nearly all environments have one key of each kind: one allocation will do for them.
		var both struct {
			sdk    [1]AcceptedSDKKey
			mobile [1]AcceptedMobileKey
		}
		both.sdk[0].Name, both.sdk[0].Value = defaultKeyName, r.SDKKey.Value
		both.mobile[0].Name, both.mobile[0].Value = defaultKeyName, r.MobKey
		p.AcceptedSDKKeys, p.AcceptedMobileKeys = both.sdk[:], both.mobile[:]
		return
	}
	p.AcceptedSDKKeys = acceptedKeys(r.SDKKeys, r.SDKKey.Value)
	p.AcceptedMobileKeys = acceptedKeys(r.MobileKeys, r.MobKey)
}

// acceptedKeys applies the rules for lists of keys. Without a list the default key alone is accepted. In a list,
// entries that are restricted to views are left out, the default key never expires, and of a value listed twice the
// entry that lasts longer counts.
func acceptedKeys[K config.SDKKey | config.MobileKey](list []ConcurrentKeyRep, defaultKey K) []AcceptedKey[K] {
	if len(list) == 0 {
		if defaultKey == "" {
			return nil
		}
		return []AcceptedKey[K]{{Name: defaultKeyName, Value: defaultKey}}
	}
	keys := make([]AcceptedKey[K], 0, len(list))
	for _, entry := range list {
		key := AcceptedKey[K]{Name: entry.Key, Value: K(entry.Value)}
		if key.Value != defaultKey {
			if entry.HasViews {
				continue
			}
			if entry.Expiry != nil {
				key.Expiry = timeOf(*entry.Expiry)
			}
		}
		keys = addLonger(keys, key)
	}
	return keys
}

func addLonger[K config.SDKKey | config.MobileKey](keys []AcceptedKey[K], key AcceptedKey[K]) []AcceptedKey[K] {
	for i, known := range keys {
		if known.Value != key.Value {
			continue
		}
		if !known.Expiry.IsZero() && (key.Expiry.IsZero() || known.Expiry.Before(key.Expiry)) {
			keys[i] = key
		}
		return keys
	}
	return append(keys, key)
}

func timeOf(t ldtime.UnixMillisecondTime) time.Time {
	return time.UnixMilli(int64(min(t, lastMillisecond))).UTC()
}

func ttl(minutes int) time.Duration {
	const longest = int(math.MaxInt64 / time.Minute)
	return time.Duration(max(0, min(minutes, longest))) * time.Minute
}
