package autoconfig_test

import (
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

// slowHandler waits in each call that adds or updates an environment until the test lets it go on.
type slowHandler struct {
	*autoconfigtest.Recorder
	entered, goOn chan struct{}
}

func (h slowHandler) AddEnvironment(p envfactory.EnvironmentParams) {
	h.call()
	h.Recorder.AddEnvironment(p)
}
func (h slowHandler) UpdateEnvironment(p envfactory.EnvironmentParams) {
	h.call()
	h.Recorder.UpdateEnvironment(p)
}

func (h slowHandler) call() {
	h.entered <- struct{}{}
	<-h.goOn
}

func TestAppliedWaitsForTheHandlersCalls(t *testing.T) {
	service := autoconfigtest.NewServer(t)
	first, second := autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 3)
	service.Put(autoconfigtest.MakePut(first, second))
	handler := slowHandler{autoconfigtest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	client, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "test", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	manager := autoconfig.NewStreamManager("rel-key", service.URL, handler, client, time.Millisecond, ldlog.NewDisabledLoggers())
	t.Cleanup(func() {
		manager.Close()
		<-manager.Done()
	})
	before := manager.Applied()
	assert.Empty(t, before.Digest)
	manager.Start()

	<-handler.entered
	assert.NotEmpty(t, manager.Status().Digest, "the configuration is known")
	assert.Empty(t, manager.Applied().Digest, "and not applied")
	assert.Empty(t, versions(manager))
	handler.goOn <- struct{}{}
	<-handler.entered
	assert.Empty(t, manager.Applied().Digest, "the second call is still to end")
	handler.goOn <- struct{}{}
	<-before.Changed
	applied := manager.Applied()
	assert.Equal(t, manager.Status().Digest, applied.Digest)
	assert.Equal(t, map[config.EnvironmentID]int{first.EnvID: 1, second.EnvID: 3}, versions(manager))

	service.Patch(autoconfigtest.MakeEnvironment(1, 2))
	<-handler.entered
	assert.Equal(t, applied.Digest, manager.Applied().Digest, "a slow handler is behind")
	assert.Equal(t, map[config.EnvironmentID]int{second.EnvID: 3}, versions(manager, first.EnvID, second.EnvID))
	handler.goOn <- struct{}{}
	<-applied.Changed
	assert.Equal(t, manager.Status().Digest, manager.Applied().Digest)
	assert.Equal(t, map[config.EnvironmentID]int{first.EnvID: 2}, versions(manager, first.EnvID))
}

func versions(m *autoconfig.StreamManager, ids ...config.EnvironmentID) map[config.EnvironmentID]int {
	known, _ := m.AppliedVersions(ids...)
	return known
}

func TestAManagerSendsItsInstanceWithEachRequest(t *testing.T) {
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut())
	seen := map[string]bool{}
	for range 2 {
		manager := autoconfig.NewStreamManager("rel-key", service.URL, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{}, time.Millisecond, ldlog.NewDisabledLoggers())
		before := len(service.Requests())
		require.NoError(t, <-manager.Start())
		manager.Reconnect()
		require.Eventually(t, func() bool { return manager.Status().Connections == 2 }, time.Minute, time.Millisecond)
		manager.Close()
		<-manager.Done()
		for _, request := range service.Requests()[before:] {
			assert.Equal(t, []string{manager.Instance()}, request.Header.Values("Relayconf-Instance"))
		}
		assert.Len(t, manager.Instance(), 26)
		seen[manager.Instance()] = true
	}
	assert.Len(t, seen, 2, "each manager has its own")
}
