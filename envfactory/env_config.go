package envfactory

import (
	"strings"

	"github.com/relayconf/relayconf/config"
)

// EnvConfigFactory makes the configuration that a relay runs an environment with, from what the stream says of that
// environment and from what the relay's own configuration says of all of them.
type EnvConfigFactory struct {
	// Prefix and TableName may hold config.AutoConfigEnvironmentIDPlaceholder. It becomes the environment's id, or, for an
	// environment with a payload filter, the id, a dot and the filter's key, so that the two keep their data apart. Without
	// the placeholder all environments share one prefix or table.
	Prefix    string
	TableName string

	AllowedOrigin []string
	AllowedHeader []string
}

// NewEnvConfigFactoryForAutoConfig makes a factory from the auto-configuration part of a relay's configuration.
func NewEnvConfigFactoryForAutoConfig(c config.AutoConfigConfig) EnvConfigFactory {
	return EnvConfigFactory{
		Prefix:        c.EnvDatastorePrefix,
		TableName:     c.EnvDatastoreTableName,
		AllowedOrigin: c.EnvAllowedOrigin,
		AllowedHeader: c.EnvAllowedHeader,
	}
}

// MakeEnvironmentConfig makes the configuration of one environment, with the filter that params.Identifiers names, if it
// names one. The slices in it are the factory's own.
func (f EnvConfigFactory) MakeEnvironmentConfig(params EnvironmentParams) config.EnvConfig {
	id := string(params.EnvID)
	if filter := params.Identifiers.FilterKey; filter != "" {
		id += "." + string(filter)
	}
	return config.EnvConfig{
		SDKKey:        params.SDKKey,
		MobileKey:     params.MobileKey,
		EnvID:         params.EnvID,
		FilterKey:     params.Identifiers.FilterKey,
		Prefix:        withID(f.Prefix, id),
		TableName:     withID(f.TableName, id),
		AllowedOrigin: f.AllowedOrigin,
		AllowedHeader: f.AllowedHeader,
		SecureMode:    params.SecureMode,
		TTL:           params.TTL,
	}
}

func withID(pattern, id string) string {
	return strings.ReplaceAll(pattern, config.AutoConfigEnvironmentIDPlaceholder, id)
}
