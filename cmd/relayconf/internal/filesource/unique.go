package filesource

import (
	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/envfactory"
)

// property is something that only one environment may have: relays find an environment by each of them. An environment with
// a filter has those of the whole environment, but it is not listed: relays make it of the environment and a filter.
type property struct{ kind, value string }

const (
	kindNames     = "projKey and envKey"
	kindSDKKey    = "SDK key"
	kindMobileKey = "mobile key"
)

// checkUnique reports the properties that an earlier environment has, too, one of each kind. It quotes no key.
func (d *decoder) checkUnique(environment item[envfactory.EnvironmentRep], expiring *key, sdkKeys, mobileKeys []key) {
	rep := environment.rep
	all := []property{{kindNames, rep.ProjKey + "\x00" + rep.EnvKey}, {kindSDKKey, string(rep.SDKKey.Value)}}
	if rep.MobKey != "" {
		all = append(all, property{kindMobileKey, string(rep.MobKey)})
	}
	if expiring != nil {
		all = append(all, property{kindSDKKey, expiring.value})
	}
	for _, k := range sdkKeys {
		all = append(all, property{kindSDKKey, k.value})
	}
	for _, k := range mobileKeys {
		all = append(all, property{kindMobileKey, k.value})
	}
	reported := map[string]bool{}
	for _, p := range all {
		owner, taken := d.owners[p]
		switch {
		case !taken:
			d.owners[p] = environment.rep.EnvID
		case owner != rep.EnvID && !reported[p.kind]:
			reported[p.kind] = true
			other := d.document.environments[string(owner)]
			d.Problem(&yaml.Node{Line: environment.line}, "the environment in %s:%d has the same %s: expected another %s for each environment",
				other.file, other.line, p.kind, p.kind)
		}
	}
}
