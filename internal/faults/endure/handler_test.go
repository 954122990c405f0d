package endure

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

// blockingHandler is a Recorder whose first update takes long.
type blockingHandler struct {
	*autoconfigtest.Recorder
	block func()
}

func (h *blockingHandler) UpdateEnvironment(params envfactory.EnvironmentParams) {
	h.block()
	h.block = func() {}
	h.Recorder.UpdateEnvironment(params)
}

func follow(t *testing.T, uri string, handler autoconfig.MessageHandler, options ...autoconfig.Option) *autoconfig.StreamManager {
	t.Helper()
	httpConfig, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	manager := autoconfig.NewStreamManager(rig.Key, uri, handler, httpConfig, rig.RetryDelay, ldlog.NewDisabledLoggers(), options...)
	t.Cleanup(func() {
		manager.Close()
		<-manager.Done()
	})
	manager.Start()
	return manager
}

func TestAHandlerThatBlocksForLongerThanTheReadTimeoutLosesNothing(t *testing.T) {
	const timeout = 300 * time.Millisecond
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
	release := make(chan struct{})
	handler := &blockingHandler{autoconfigtest.NewRecorder(), func() { <-release }}
	manager := follow(t, service.URL, handler, autoconfig.WithReadTimeout(timeout))
	handler.WaitForKind(t, rig.Soon, autoconfigtest.ReceivedAllEnvironments)
	for version := 2; version <= 500; version++ {
		service.Patch(rig.Environment(1, version))
	}
	time.Sleep(4 * timeout)
	close(release)
	for version := 2; version <= 500; version++ {
		call := handler.WaitForKind(t, rig.Soon, autoconfigtest.UpdateEnvironment)
		require.Equal(t, rig.Environment(1, version).EnvName, call.Params.Identifiers.EnvName)
	}
	assert.EqualValues(t, 1, manager.Status().Connections)
	assert.Nil(t, manager.Status().LastError)
}

// panicVariable makes this test binary the program whose handler panics.
const panicVariable = "RELAYCONF_TEST_PANIC"

type panickingHandler struct{ *autoconfigtest.Recorder }

func (panickingHandler) ReceivedAllEnvironments() { panic("the relay's handler has a bug") }

func TestAHandlerThatPanicsEndsTheProgramAndShowsWhere(t *testing.T) {
	if uri := os.Getenv(panicVariable); uri != "" {
		follow(t, uri, panickingHandler{autoconfigtest.NewRecorder()})
		time.Sleep(rig.Soon)
		return // status 0: it went unnoticed
	}
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
	program := exec.Command(os.Args[0], "-test.run=^TestAHandlerThatPanicsEndsTheProgramAndShowsWhere$")
	program.Env = append(os.Environ(), panicVariable+"="+service.URL)
	output, err := program.CombinedOutput()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "it ended with %v and said %s", err, output)
	assert.NotZero(t, exit.ExitCode())
	assert.Contains(t, string(output), "panic: the relay's handler has a bug")
	assert.Contains(t, string(output), "panickingHandler.ReceivedAllEnvironments", "the stack")
	assert.Contains(t, string(output), "handler_test.go")
	assert.NotContains(t, string(output), string(rig.Key))
}
