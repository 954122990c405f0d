package filesource

import (
	"strings"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"
	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

var (
	environmentFields = []string{"id", "projKey", "projName", "envKey", "envName", "sdkKey", "mobileKey", "expiringSdkKey",
		"acceptedSdkKeys", "acceptedMobileKeys", "ttlSeconds", "secureMode", "version"}
	filterFields   = []string{"id", "projKey", "key", "version"}
	keyFields      = []string{"name", "value", "expiry"}
	expiringFields = []string{"value", "expiry"}
)

// defaultKeyName is the name of the default key in lists of accepted keys.
const defaultKeyName = "default"

// key is an accepted key.
type key struct {
	node        *yaml.Node
	name, value string
	expiry      time.Time // zero: permanent
}

// environment decodes an environment. Names default to keys, and the accepted keys to the default keys and the key that
// expires.
func (d *decoder) environment(node *yaml.Node) {
	var rep envfactory.EnvironmentRep
	var expiring *key
	var sdkKeys, mobileKeys []key
	before := len(d.Problems)
	ok := d.Members(node, "an environment", environmentFields, func(name string, value *yaml.Node) {
		switch name {
		case "id":
			rep.EnvID = config.EnvironmentID(d.id(value))
		case "projKey":
			rep.ProjKey = d.Text(value, name)
		case "projName":
			rep.ProjName = d.Text(value, name)
		case "envKey":
			rep.EnvKey = d.Text(value, name)
		case "envName":
			rep.EnvName = d.Text(value, name)
		case "sdkKey":
			rep.SDKKey.Value = config.SDKKey(d.Token(value, name))
		case "mobileKey":
			rep.MobKey = config.MobileKey(d.Token(value, name))
		case "expiringSdkKey":
			expiring = d.key(value, "expiringSdkKey", expiringFields)
		case "acceptedSdkKeys":
			sdkKeys = d.keys(value, name)
		case "acceptedMobileKeys":
			mobileKeys = d.keys(value, name)
		case "ttlSeconds":
			rep.DefaultTTL = d.ttl(value)
		case "secureMode":
			rep.SecureMode = d.Bool(value, name)
		case "version":
			rep.Version = d.Integer(value, name, 1, maxVersion)
		}
	})
	if !ok {
		return
	}
	d.required(node, "an environment", []field{{"id", string(rep.EnvID)}, {"projKey", rep.ProjKey}, {"envKey", rep.EnvKey},
		{"sdkKey", string(rep.SDKKey.Value)}})
	if len(d.Problems) > before {
		return
	}
	if rep.ProjName == "" {
		rep.ProjName = rep.ProjKey
	}
	if rep.EnvName == "" {
		rep.EnvName = rep.EnvKey
	}
	if rep.MobKey == "" && len(mobileKeys) > 0 {
		d.Problem(mobileKeys[0].node, "an environment with acceptedMobileKeys needs a mobileKey, too")
		return
	}
	d.checkKeys(sdkKeys, "acceptedSdkKeys", "sdkKey", string(rep.SDKKey.Value))
	d.checkKeys(mobileKeys, "acceptedMobileKeys", "mobileKey", string(rep.MobKey))
	d.checkExpiring(expiring, sdkKeys, string(rep.SDKKey.Value))
	if len(d.Problems) == before {
		setKeys(&rep, expiring, sdkKeys, mobileKeys)
		environment := item[envfactory.EnvironmentRep]{rep, d.Path, strictyaml.Resolved(node).Line}
		if put(d, d.document.environments, string(rep.EnvID), environment) {
			d.checkUnique(environment, expiring, sdkKeys, mobileKeys)
		}
	}
}

// setKeys gives the environment its keys in the form of the wire. Lists are left out where the single keys say the same:
// relays that know nothing of lists understand those.
func setKeys(rep *envfactory.EnvironmentRep, expiring *key, sdkKeys, mobileKeys []key) {
	if expiring == nil {
		expiring = nextToExpire(sdkKeys)
	}
	if expiring != nil {
		rep.SDKKey.Expiring.Value = config.SDKKey(expiring.value)
		rep.SDKKey.Expiring.Timestamp = unixMillis(expiring.expiry)
	}
	hasDefault := len(sdkKeys) > 0 && sdkKeys[0].value == string(rep.SDKKey.Value) && sdkKeys[0].name == defaultKeyName
	switch {
	case hasDefault && len(sdkKeys) == 1:
	case hasDefault && len(sdkKeys) == 2 && sdkKeys[1].name == "" && !sdkKeys[1].expiry.IsZero():
	default:
		rep.SDKKeys = listed(sdkKeys)
	}
	if len(mobileKeys) != 1 || mobileKeys[0].name != defaultKeyName {
		rep.MobileKeys = listed(mobileKeys)
	}
}

func listed(keys []key) []envfactory.ConcurrentKeyRep {
	var list []envfactory.ConcurrentKeyRep
	for _, k := range keys {
		entry := envfactory.ConcurrentKeyRep{Key: k.name, Value: k.value}
		if !k.expiry.IsZero() {
			expiry := unixMillis(k.expiry)
			entry.Expiry = &expiry
		}
		list = append(list, entry)
	}
	return list
}

// unixMillis also takes times after the year 2262, whose nanoseconds don't fit into 64 bits.
func unixMillis(t time.Time) ldtime.UnixMillisecondTime {
	return ldtime.UnixMillisecondTime(t.UnixMilli())
}

func nextToExpire(keys []key) *key {
	var next *key
	for i, k := range keys {
		if !k.expiry.IsZero() && (next == nil || k.expiry.Before(next.expiry)) {
			next = &keys[i]
		}
	}
	return next
}

// filter decodes a payload filter. Its id is made of project and key where there is none.
func (d *decoder) filter(node *yaml.Node) {
	var rep envfactory.FilterRep
	id := ""
	before := len(d.Problems)
	if !d.Members(node, "a filter", filterFields, func(name string, value *yaml.Node) {
		switch name {
		case "id":
			id = d.id(value)
		case "projKey":
			rep.ProjKey = d.Token(value, name)
		case "key":
			rep.FilterKey = config.FilterKey(d.Token(value, name))
		case "version":
			rep.Version = d.Integer(value, name, 1, maxVersion)
		}
	}) {
		return
	}
	d.required(node, "a filter", []field{{"projKey", rep.ProjKey}, {"key", string(rep.FilterKey)}})
	if id == "" {
		if id = rep.ProjKey + "." + string(rep.FilterKey); strings.Contains(id, "/") {
			d.Problem(strictyaml.Resolved(node), "a filter needs an id if its projKey or key contains a slash")
		}
	}
	if len(d.Problems) == before {
		put(d, d.document.filters, id, item[envfactory.FilterRep]{rep, d.Path, strictyaml.Resolved(node).Line})
	}
}

// put adds an item and returns true, unless its id is there already.
func put[R envfactory.EnvironmentRep | envfactory.FilterRep](d *decoder, items map[string]item[R], id string, i item[R]) bool {
	if other, exists := items[id]; exists {
		d.Problem(&yaml.Node{Line: i.line}, "this id is also in %s:%d: expected each id once", other.file, other.line)
		return false
	}
	items[id] = i
	return true
}

type field struct{ name, value string }

func (d *decoder) required(node *yaml.Node, object string, fields []field) {
	for _, f := range fields {
		if f.value == "" {
			d.Problem(strictyaml.Resolved(node), "%s needs %s", object, withArticle(f.name))
		}
	}
}

// withArticle puts a or an before the name of a field.
func withArticle(name string) string {
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}
