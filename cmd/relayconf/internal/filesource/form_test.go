package filesource

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func decode(t *testing.T, name, text string) document {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	d, err := read(path)
	require.NoError(t, err)
	return d
}

func TestFieldsThatAreLeftOutHaveDefaults(t *testing.T) {
	d := decode(t, "environments.yaml", `
environments:
  - id: 610000000000000000000001   # no number
    projKey: web
    envKey: production
    sdkKey: sdk-1
filters:
  - projKey: web
    key: eu-only
`)
	assert.Equal(t, envfactory.EnvironmentRep{
		EnvID: "610000000000000000000001", ProjKey: "web", ProjName: "web", EnvKey: "production", EnvName: "production",
		SDKKey: envfactory.SDKKeyRep{Value: "sdk-1"},
	}, d.environments["610000000000000000000001"].rep)
	assert.Equal(t, envfactory.FilterRep{ProjKey: "web", FilterKey: "eu-only"}, d.filters["web.eu-only"].rep)
}

func TestAnchorsAndMergesShareFields(t *testing.T) {
	d := decode(t, "environments.yaml", `
x-web: &web
  projKey: web
  projName: Web shop
  ttlSeconds: 300
environments:
  - <<: *web
    id: a
    envKey: production
    sdkKey: sdk-1
  - {<<: [*web], id: b, envKey: test, sdkKey: sdk-2, ttlSeconds: 0}
---
environments: [{id: c, projKey: x, envKey: y, sdkKey: sdk-3}]
`)
	assert.Len(t, d.environments, 3)
	assert.Equal(t, "Web shop", d.environments["a"].rep.ProjName)
	assert.Equal(t, 5, d.environments["a"].rep.DefaultTTL)
	assert.Equal(t, 0, d.environments["b"].rep.DefaultTTL)
}

func TestAFileThatWatchWroteComesBackAsItWas(t *testing.T) {
	expiry := ldtime.UnixMillisFromTime(time.Date(2031, 1, 2, 3, 4, 5, 678e6, time.UTC))
	base := envfactory.EnvironmentRep{EnvID: "env1", ProjKey: "web", ProjName: "Web \"shop\" \u2028 😀", EnvKey: "production",
		EnvName: "Production", MobKey: "mob-1", SDKKey: envfactory.SDKKeyRep{Value: "sdk-1"}, DefaultTTL: 5, SecureMode: true}
	for _, row := range []struct {
		name    string
		rep     func(r *envfactory.EnvironmentRep)
		hasList bool // the keys need a list
	}{
		{"single keys", func(*envfactory.EnvironmentRep) {}, false},
		{"no mobile key", func(r *envfactory.EnvironmentRep) { r.MobKey = "" }, false},
		{"a key that expires", func(r *envfactory.EnvironmentRep) {
			r.SDKKey.Expiring = envfactory.ExpiringKeyRep{Value: "sdk-0", Timestamp: expiry}
		}, false},
		{"a list with several keys", func(r *envfactory.EnvironmentRep) {
			r.SDKKeys = []envfactory.ConcurrentKeyRep{{Key: "default", Value: "sdk-1"}, {Key: "old", Value: "sdk-0", Expiry: &expiry},
				{Key: "other", Value: "sdk-2"}}
			r.MobileKeys = []envfactory.ConcurrentKeyRep{{Key: "m", Value: "mob-1"}, {Key: "n", Value: "mob-2", Expiry: &expiry}}
		}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			rep := base
			row.rep(&rep)
			params := rep.ToParams()
			text, err := json.MarshalIndent(output.File{Format: output.Format, Version: output.Version, WrittenAt: envjson.Time(time.Now()),
				Environments: []envjson.Environment{envjson.FromEnvironment(params, envjson.Whole)},
				Filters:      []envjson.Filter{{ID: "f", ProjKey: "web", Key: "eu"}}}, "", "  ")
			require.NoError(t, err)
			for _, name := range []string{"environments.json", "environments"} {
				d := decode(t, name, string(text))
				got := d.environments["env1"].rep
				assert.Equal(t, params, got.ToParams())
				assert.Equal(t, row.hasList, len(got.SDKKeys) > 0)
				assert.Equal(t, envfactory.FilterRep{ProjKey: "web", FilterKey: config.FilterKey("eu")}, d.filters["f"].rep)
			}
		})
	}
}

func TestAFolderIsOneConfiguration(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"web.yaml":    web,
		"shop.yml":    "environments: [{id: env2, projKey: shop, envKey: a, sdkKey: b}]",
		"more.json":   `{"environments": [{"id": "env3", "projKey": "shop", "envKey": "b", "sdkKey": "c"}]}`,
		"filters.yml": "filters: [{projKey: shop, key: eu}]",
		".hidden.yml": "no",
		"README.md":   "no",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	d, err := read(folder)
	require.NoError(t, err)
	assert.Len(t, d.environments, 3)
	assert.Len(t, d.filters, 1)
}

func TestAnExpiryCenturiesAheadStaysThere(t *testing.T) {
	d := decode(t, "environments.yaml", `
environments:
  - {id: a, projKey: web, envKey: a, sdkKey: sdk-1, expiringSdkKey: {value: sdk-2, expiry: "2600-01-01T00:00:00Z"}}
  - id: b
    projKey: web
    envKey: b
    sdkKey: sdk-3
    acceptedSdkKeys: [{value: sdk-3}, {name: former, value: sdk-4, expiry: "9999-12-31T23:59:59Z"}]
`)
	at := func(year int, month time.Month, day, hour, minute, second int) ldtime.UnixMillisecondTime {
		return ldtime.UnixMillisecondTime(time.Date(year, month, day, hour, minute, second, 0, time.UTC).UnixMilli())
	}
	assert.Equal(t, at(2600, 1, 1, 0, 0, 0), d.environments["a"].rep.SDKKey.Expiring.Timestamp)
	assert.Equal(t, at(9999, 12, 31, 23, 59, 59), d.environments["b"].rep.SDKKey.Expiring.Timestamp)
	assert.Equal(t, at(9999, 12, 31, 23, 59, 59), *d.environments["b"].rep.SDKKeys[1].Expiry)
}
