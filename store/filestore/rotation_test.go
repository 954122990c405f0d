package filestore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestARelayThatRestartsWithARotatedKeyCanUseItsCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	relay := autoconfigtest.NewRecorder()
	manager := autoconfig.NewStreamManager(otherKey, service.URL, relay, httpconfig.HTTPConfig{}, time.Second,
		ldlog.NewDisabledLoggers(), autoconfig.WithStore(newStore(t, path, otherKey)))
	manager.Start()
	relay.Next(t, 10*time.Second)
	relay.Next(t, 10*time.Second)

	manager.SetKey(key)
	relay.Next(t, 10*time.Second) // all environments, with the new key
	manager.Close()
	<-manager.Done()
	snapshot, err := newStore(t, path, key).Load(t.Context())
	require.NoError(t, err)
	require.Len(t, snapshot.Environments, 1)
	require.Equal(t, []string{"cache"}, names(t, path), "nothing is set aside")
}
