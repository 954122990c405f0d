package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// acceptedKey is a key that an environment accepts, according to the model. A zero expiry is never.
type acceptedKey struct {
	value  string
	expiry time.Time
}

func (k acceptedKey) acceptedAt(now time.Time) bool { return k.expiry.IsZero() || now.Before(k.expiry) }

// malformed says whether the keys of the environment contradict each other (rule 8).
func (e environment) malformed() bool {
	values := func(keys []listedKey) (all []string) {
		for _, key := range keys {
			all = append(all, key.value)
		}
		return all
	}
	sdkKeys, mobiles := values(e.sdkKeys), values(e.mobiles)
	return e.sdk == "" ||
		slices.Contains(sdkKeys, "") || slices.Contains(mobiles, "") ||
		len(sdkKeys) > 0 && !slices.Contains(sdkKeys, e.sdk) ||
		len(mobiles) > 0 && !slices.Contains(mobiles, e.mobile)
}

// acceptedSDKKeys has the default key, the one that it replaces, or what the list says if there is one.
func (e environment) acceptedSDKKeys() []acceptedKey {
	if len(e.sdkKeys) > 0 {
		return acceptedOf(e.sdkKeys, e.sdk)
	}
	accepted := []acceptedKey{{value: e.sdk}}
	if e.old != "" && e.old != e.sdk {
		accepted = append(accepted, acceptedKey{e.old, e.oldExpiry.at})
	}
	return accepted
}

func (e environment) acceptedMobileKeys() []acceptedKey {
	switch {
	case len(e.mobiles) > 0:
		return acceptedOf(e.mobiles, e.mobile)
	case e.mobile != "":
		return []acceptedKey{{value: e.mobile}}
	}
	return nil
}

// acceptedOf leaves out the keys that are restricted to views. The default key is never restricted and never expires.
// Of a key that is listed twice the longer time counts.
func acceptedOf(keys []listedKey, defaultKey string) (accepted []acceptedKey) {
	for _, key := range keys {
		one := acceptedKey{value: key.value}
		if key.value != defaultKey {
			if key.hasViews {
				continue
			}
			if key.expires {
				one.expiry = key.expiry.at
			}
		}
		at := slices.IndexFunc(accepted, func(k acceptedKey) bool { return k.value == one.value })
		switch {
		case at < 0:
			accepted = append(accepted, one)
		case accepted[at].expiry.IsZero():
		case one.expiry.IsZero(), one.expiry.After(accepted[at].expiry):
			accepted[at] = one
		}
	}
	return accepted
}

// params is what the relay gets to know of the environment at that time, as text: see describe.
func (e environment) params(now time.Time) string {
	next := acceptedKey{}
	for _, key := range e.acceptedSDKKeys() {
		if !key.expiry.IsZero() && key.acceptedAt(now) && (next.expiry.IsZero() || key.expiry.Before(next.expiry)) {
			next = key
		}
	}
	return paramsText(e.id, e.name, e.sdk, e.mobile, next,
		keysText(e.acceptedSDKKeys(), now), keysText(e.acceptedMobileKeys(), now))
}

func paramsText(id, name, sdk, mobile string, next acceptedKey, sdkKeys, mobiles string) string {
	return fmt.Sprintf("%s %q sdk=%s mobile=%s next=%s sdkKeys=[%s] mobileKeys=[%s]", id, name, sdk, mobile,
		next.text(), sdkKeys, mobiles)
}

func keysText(keys []acceptedKey, now time.Time) string {
	var all []string
	for _, key := range keys {
		if key.acceptedAt(now) {
			all = append(all, key.text())
		}
	}
	return strings.Join(all, " ")
}

func (k acceptedKey) text() string {
	if k.expiry.IsZero() {
		return k.value
	}
	return fmt.Sprintf("%s until %s", k.value, k.expiry.UTC().Format(time.RFC3339Nano))
}
