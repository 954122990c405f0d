package autoconfigtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/config"
)

func TestMakeEnvironmentNumbersItsNamesAndKeys(t *testing.T) {
	names := map[int]string{1: "web/production", 2: "web/staging", 3: "web/test", 4: "app/production", 7: "project-3/production"}
	seen := map[config.SDKKey]bool{}
	for number, name := range names {
		rep := MakeEnvironment(number, 9)
		assert.Equal(t, name, rep.ProjKey+"/"+rep.EnvKey)
		assert.Equal(t, 9, rep.Version)
		assert.Len(t, rep.EnvID, 24)
		assert.NotEmpty(t, rep.MobKey)
		assert.False(t, seen[rep.SDKKey.Value], "a key that two environments share")
		seen[rep.SDKKey.Value] = true
	}
}

func TestRotateSDKKeyMakesTheOldKeyExpire(t *testing.T) {
	rep := MakeEnvironment(1, 3)
	expires := time.UnixMilli(1790000000000)
	rotated := RotateSDKKey(rep, "sdk-new", expires)
	assert.Equal(t, config.SDKKey("sdk-new"), rotated.SDKKey.Value)
	assert.Equal(t, rep.SDKKey.Value, rotated.SDKKey.Expiring.Value)
	assert.EqualValues(t, 1790000000000, rotated.SDKKey.Expiring.Timestamp)
	assert.Equal(t, 4, rotated.Version)
	assert.Equal(t, MakeEnvironment(1, 3), rep)

	centuries := time.Date(2600, 1, 1, 0, 0, 0, 0, time.UTC)
	assert.EqualValues(t, centuries.UnixMilli(), RotateSDKKey(rep, "sdk-new", centuries).SDKKey.Expiring.Timestamp)
}
