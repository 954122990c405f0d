package autoconfigtest

import (
	"fmt"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// MakeEnvironment returns a realistic environment. The number, from 1 up, decides its ids, names and keys: 1 is
// web/production, 2 is web/staging, 3 is web/test, 4 is app/production, and so on. Change the fields
// that a test is about.
func MakeEnvironment(number, version int) envfactory.EnvironmentRep {
	keys, names := []string{"production", "staging", "test"}, []string{"Production", "Staging", "Test"}
	environment, project := max(number-1, 0)%len(keys), max(number-1, 0)/len(keys)
	projKey, projName := fmt.Sprintf("project-%d", project+1), fmt.Sprintf("Project %d", project+1)
	switch project {
	case 0:
		projKey, projName = "web", "Web shop"
	case 1:
		projKey, projName = "app", "Mobile app"
	}
	return envfactory.EnvironmentRep{
		EnvID:    config.EnvironmentID(fmt.Sprintf("5f1b0c7e%016d", number)),
		EnvKey:   keys[environment],
		EnvName:  names[environment],
		ProjKey:  projKey,
		ProjName: projName,
		MobKey:   config.MobileKey(fmt.Sprintf("mob-00000000-0000-4000-8000-%012d", number)),
		SDKKey:   envfactory.SDKKeyRep{Value: config.SDKKey(fmt.Sprintf("sdk-00000000-0000-4000-8000-%012d", number))},
		Version:  version,
	}
}

// RotateSDKKey returns the environment with a new SDK key, the old one expiring at that time, and the next version.
func RotateSDKKey(rep envfactory.EnvironmentRep, newKey config.SDKKey, oldExpires time.Time) envfactory.EnvironmentRep {
	rep.SDKKey = envfactory.SDKKeyRep{
		Value: newKey,
		Expiring: envfactory.ExpiringKeyRep{
			Value:     rep.SDKKey.Value,
			Timestamp: ldtime.UnixMillisecondTime(oldExpires.UnixMilli()),
		},
	}
	rep.Version++
	return rep
}

// MakePut returns the whole configuration that these environments make up.
func MakePut(environments ...envfactory.EnvironmentRep) autoconfig.PutContent {
	content := autoconfig.PutContent{Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{}}
	for _, rep := range environments {
		content.Environments[rep.EnvID] = rep
	}
	return content
}
