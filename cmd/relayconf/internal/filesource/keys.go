package filesource

import (
	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
)

// ttl reads a time in seconds. The wire has minutes.
func (d *decoder) ttl(node *yaml.Node) int {
	const most = 365 * 24 * 60 * 60
	seconds := d.Integer(node, "ttlSeconds", 0, most)
	if seconds%60 != 0 {
		d.Problem(node, "ttlSeconds must be a multiple of 60")
	}
	return seconds / 60
}

func (d *decoder) keys(node *yaml.Node, field string) []key {
	var keys []key
	d.List(node, field, func(element *yaml.Node) {
		if k := d.key(element, "a key of "+field, keyFields); k != nil {
			keys = append(keys, *k)
		}
	})
	return keys
}

// key reads an accepted key, or the key that expires, which has no name and needs an expiry. It returns nil after it has
// reported a mistake.
func (d *decoder) key(node *yaml.Node, object string, fields []string) *key {
	k := key{node: strictyaml.Resolved(node)}
	before := len(d.Problems)
	if !d.Members(node, object, fields, func(name string, value *yaml.Node) {
		switch name {
		case "name":
			k.name = d.Text(value, name)
		case "value":
			k.value = d.Token(value, name)
		case "expiry":
			k.expiry = d.Time(value, name)
		}
	}) || len(d.Problems) > before {
		return nil
	}
	switch {
	case k.value == "":
		d.Problem(k.node, "%s needs a value", object)
		return nil
	case len(fields) == len(expiringFields) && k.expiry.IsZero():
		d.Problem(k.node, "%s needs an expiry", object)
		return nil
	}
	return &k
}

// checkKeys checks a list of accepted keys, which must hold the default key, and each key once.
func (d *decoder) checkKeys(keys []key, list, defaultField, defaultKey string) {
	if len(keys) == 0 {
		return
	}
	hasDefault := false
	seen := make(map[string]bool, len(keys))
	for i, k := range keys {
		if seen[k.value] {
			d.Problem(k.node, "this key is twice in %s", list)
		}
		seen[k.value] = true
		if k.value != defaultKey {
			continue
		}
		hasDefault = true
		if k.name == "" {
			keys[i].name = defaultKeyName
		}
		if !k.expiry.IsZero() {
			d.Problem(k.node, "the %s can't expire: leave out its expiry, or choose another %s", defaultField, defaultField)
		}
	}
	if !hasDefault {
		d.Problem(keys[0].node, "%s must list the %s, too", list, defaultField)
	}
}

func (d *decoder) checkExpiring(expiring *key, accepted []key, defaultKey string) {
	if expiring == nil {
		return
	}
	if expiring.value == defaultKey {
		d.Problem(expiring.node, "expiringSdkKey must be another key than sdkKey, which it expires in favour of")
		return
	}
	if len(accepted) == 0 {
		return
	}
	for _, k := range accepted {
		if k.value == expiring.value && k.expiry.Equal(expiring.expiry) {
			return
		}
	}
	d.Problem(expiring.node, "acceptedSdkKeys must list the expiringSdkKey, too, with the same expiry")
}
