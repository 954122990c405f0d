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

func TestAFilteredEnvironmentKeepsItsDataApart(t *testing.T) {
	factory := EnvConfigFactory{Prefix: "ld-$CID", TableName: "table-$CID"}
	for _, test := range []struct {
		name          string
		filter        config.FilterKey
		prefix, table string
		id            string
	}{
		{"a whole environment", "", "ld-env1", "table-env1", "web/production"},
		{"with a filter", "eu-only", "ld-env1.eu-only", "table-env1.eu-only", "web/production (eu-only)"},
		{"with another filter", "us-only", "ld-env1.us-only", "table-env1.us-only", "web/production (us-only)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			params := EnvironmentParams{EnvID: "env1", Identifiers: EnvIdentifiers{ProjKey: "web", EnvKey: "production", FilterKey: test.filter}}
			made := factory.MakeEnvironmentConfig(params)
			assert.Equal(t, test.prefix, made.Prefix)
			assert.Equal(t, test.table, made.TableName)
			assert.Equal(t, test.filter, made.FilterKey)
			assert.Equal(t, config.EnvironmentID("env1"), made.EnvID)
			assert.Equal(t, test.id, params.Identifiers.String())
		})
	}
}
