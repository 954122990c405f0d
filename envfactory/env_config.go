package envfactory

import (
	"strings"

	"github.com/relayconf/relayconf/config"
)

// EnvConfigFactory makes the configuration that a relay runs an environment with, from what the stream says of that
// environment and from what the relay's own configuration says of all of them.
type EnvConfigFactory struct {
	// Prefix and TableName may hold config.AutoConfigEnvironmentIDPlaceholder, which becomes the environment's id.
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

// MakeEnvironmentConfig makes the configuration of one environment. The slices in it are the factory's own.
func (f EnvConfigFactory) MakeEnvironmentConfig(params EnvironmentParams) config.EnvConfig {
	return config.EnvConfig{
		SDKKey:        params.SDKKey,
		MobileKey:     params.MobileKey,
		EnvID:         params.EnvID,
		Prefix:        withID(f.Prefix, params.EnvID),
		TableName:     withID(f.TableName, params.EnvID),
		AllowedOrigin: f.AllowedOrigin,
		AllowedHeader: f.AllowedHeader,
		SecureMode:    params.SecureMode,
		TTL:           params.TTL,
	}
}

func withID(pattern string, id config.EnvironmentID) string {
	return strings.ReplaceAll(pattern, config.AutoConfigEnvironmentIDPlaceholder, string(id))
}
