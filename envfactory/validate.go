package envfactory

import (
	"fmt"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/mask"
)

// KeySetError says that the keys of an environment contradict each other, so that it can't be served. It holds no key.
type KeySetError struct {
	EnvID  config.EnvironmentID
	Reason string
}

// Error says which environment and why.
func (e *KeySetError) Error() string {
	return fmt.Sprintf("environment %q has a malformed set of keys: %s", mask.Shorten(string(e.EnvID)), e.Reason)
}

// ValidateKeys checks that there is a default SDK key, that no listed key is empty, and that each default key is in
// its list where there is one. The error is a *KeySetError. A list that is empty counts as one that is not there.
func (r EnvironmentRep) ValidateKeys() error {
	reason := ""
	switch {
	case r.SDKKey.Value == "":
		reason = "sdkKey has an empty value"
	case hasEmptyValue(r.SDKKeys):
		reason = "an entry of sdkKeys has an empty value"
	case len(r.SDKKeys) > 0 && !listed(r.SDKKeys, string(r.SDKKey.Value)):
		reason = "the default SDK key is missing from sdkKeys"
	case hasEmptyValue(r.MobileKeys):
		reason = "an entry of mobileKeys has an empty value"
	case len(r.MobileKeys) > 0 && r.MobKey == "":
		reason = "there are mobileKeys, but mobKey is empty"
	case len(r.MobileKeys) > 0 && !listed(r.MobileKeys, string(r.MobKey)):
		reason = "the default mobile key is missing from mobileKeys"
	default:
		return nil
	}
	return &KeySetError{EnvID: r.EnvID, Reason: reason}
}

func hasEmptyValue(list []ConcurrentKeyRep) bool { return listed(list, "") }

func listed(list []ConcurrentKeyRep, value string) bool {
	for _, entry := range list {
		if entry.Value == value {
			return true
		}
	}
	return false
}
