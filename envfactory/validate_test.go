package envfactory

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func TestRule08ValidateKeys(t *testing.T) {
	for _, test := range []struct {
		name, keys, reason string
	}{
		{"single key", `"sdkKey":{"value":"a"}`, ""},
		{"no mobile key at all", `"sdkKey":{"value":"a"},"mobKey":null,"mobileKeys":[]`, ""},
		{"lists with their defaults", `"sdkKey":{"value":"a"},"sdkKeys":[{"value":"b"},{"value":"a"}],"mobKey":"m","mobileKeys":[{"value":"m"}]`, ""},
		{"no SDK key", `"mobKey":"m"`, "sdkKey has an empty value"},
		{"empty entry in sdkKeys", `"sdkKey":{"value":"a"},"sdkKeys":[{"value":"a"},{"key":"b"}]`, "an entry of sdkKeys has an empty value"},
		{"empty entry in mobileKeys", `"sdkKey":{"value":"a"},"mobKey":"m","mobileKeys":[{"value":"m"},{"value":""}]`, "an entry of mobileKeys has an empty value"},
		{"default missing from sdkKeys", `"sdkKey":{"value":"a"},"sdkKeys":[{"value":"b"}]`, "the default SDK key is missing from sdkKeys"},
		{"default missing from mobileKeys", `"sdkKey":{"value":"a"},"mobKey":"m","mobileKeys":[{"value":"n"}]`, "the default mobile key is missing from mobileKeys"},
		{"mobileKeys without mobKey", `"sdkKey":{"value":"a"},"mobileKeys":[{"value":"n"}]`, "there are mobileKeys, but mobKey is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := parse(t, `{"envID":"env1",`+test.keys+`}`).ValidateKeys()
			if test.reason == "" {
				require.NoError(t, err)
				return
			}
			var keySetError *KeySetError
			require.ErrorAs(t, err, &keySetError)
			assert.Equal(t, config.EnvironmentID("env1"), keySetError.EnvID)
			assert.Equal(t, test.reason, keySetError.Reason)
			assert.Contains(t, err.Error(), `"env1"`)
		})
	}
}
