package envfactory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/config"
)

func TestMakeEnvironmentConfig(t *testing.T) {
	factory := NewEnvConfigFactoryForAutoConfig(config.AutoConfigConfig{
		EnvDatastorePrefix:    "prefix-$CID-$CID",
		EnvDatastoreTableName: "table",
		EnvAllowedOrigin:      []string{"https://example.com"},
		EnvAllowedHeader:      []string{"X-Trace"},
	})
	assert.Equal(t, config.EnvConfig{
		SDKKey: "sdk-1", MobileKey: "mob-1", EnvID: "env1",
		Prefix: "prefix-env1-env1", TableName: "table",
		AllowedOrigin: []string{"https://example.com"}, AllowedHeader: []string{"X-Trace"},
		SecureMode: true, TTL: time.Minute,
	}, factory.MakeEnvironmentConfig(EnvironmentParams{
		EnvID: "env1", SDKKey: "sdk-1", MobileKey: "mob-1", SecureMode: true, TTL: time.Minute,
	}))
}
