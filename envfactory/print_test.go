package envfactory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func TestNothingPrintsAWholeKey(t *testing.T) {
	const secret = "key-0000-secret-1234"
	rep := parse(t, `{"envID":"env1","mobKey":"`+secret+`","sdkKey":{"value":"`+secret+`","expiring":{"value":"x`+secret+`","timestamp":7}},
		"sdkKeys":[{"value":"`+secret+`"},{"value":"y`+secret+`","expiry":9}],"mobileKeys":[{"value":"`+secret+`"}]}`)
	for _, value := range []any{
		rep, &rep, rep.SDKKey, rep.SDKKey.Expiring, rep.SDKKeys, rep.SDKKeys[0], rep.ToParams(), rep.ToParams().AcceptedSDKKeys[0],
		config.EnvConfig(EnvConfigFactory{}.MakeEnvironmentConfig(rep.ToParams())),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, value)
			assert.NotContains(t, text, secret, "%s of %T", verb, value)
			assert.NotContains(t, text, fmt.Sprintf("%x", secret), "%s of %T", verb, value)
		}
	}
	for _, value := range []any{
		rep, rep.SDKKey, rep.SDKKey.Expiring, rep.SDKKeys[0], rep.ToParams(), rep.ToParams().AcceptedSDKKeys[0], rep.ToParams().AcceptedMobileKeys[0],
	} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		assert.NotContains(t, log.String(), secret, "%T", value)
		assert.Contains(t, log.String(), "1234", "%T", value)
	}
	raw, err := json.Marshal(rep)
	require.NoError(t, err)
	assert.Contains(t, string(raw), secret, "JSON is for the wire and carries keys whole")
}
