package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/envfactory"
)

func TestEveryKeyOfAnEnvironmentIsMasked(t *testing.T) {
	e := environmentMessage(envfactory.EnvironmentParams{
		SDKKey: "sdk-00000000-0000-4000-8000-00000000aaaa", MobileKey: "mob-00000000-0000-4000-8000-00000000bbbb",
		ExpiringSDKKey: "sdk-00000000-0000-4000-8000-00000000cccc", ExpiringSDKKeyTime: time.Unix(1_900_000_000, 0),
	})
	assert.Equal(t, []string{"…aaaa", "…bbbb", "…cccc"}, []string{e.SdkKey, e.MobileKey, e.ExpiringSdkKey})
}
