package endure

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

// blockingHandler is a Recorder whose first call of one kind takes long.
type blockingHandler struct {
	*autoconfigtest.Recorder
	kind    autoconfigtest.CallKind
	once    sync.Once
	began   chan struct{} // closed when that call begins
	release chan struct{} // the call ends when this is closed
}

func (h *blockingHandler) block(kind autoconfigtest.CallKind) {
	if kind == h.kind {
		h.once.Do(func() { close(h.began); <-h.release })
	}
}

func (h *blockingHandler) AddEnvironment(params envfactory.EnvironmentParams) {
	h.block(autoconfigtest.AddEnvironment)
	h.Recorder.AddEnvironment(params)
}

func (h *blockingHandler) UpdateEnvironment(params envfactory.EnvironmentParams) {
	h.block(autoconfigtest.UpdateEnvironment)
	h.Recorder.UpdateEnvironment(params)
}

func (h *blockingHandler) KeyExpired(id config.EnvironmentID, key config.SDKKey) {
	h.block(autoconfigtest.KeyExpired)
	h.Recorder.KeyExpired(id, key)
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
	const timeout = 2 * time.Second
	for _, test := range []struct {
		name string
		kind autoconfigtest.CallKind
	}{
		{"in the first put, when one is due", autoconfigtest.AddEnvironment},
		{"in an event, when nothing is read", autoconfigtest.UpdateEnvironment},
		{"for a key that expires, while the line waits for a byte", autoconfigtest.KeyExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := autoconfigtest.NewServer(t)
			environment := rig.Environment(1, 1)
			environment.SDKKey.Expiring = envfactory.ExpiringKeyRep{Value: "sdk-old", Timestamp: ldtime.UnixMillisFromTime(time.Now().Add(8 * time.Second))}
			service.Put(autoconfigtest.MakePut(environment))
			handler := &blockingHandler{Recorder: autoconfigtest.NewRecorder(), kind: test.kind, began: make(chan struct{}), release: make(chan struct{})}
			manager := follow(t, service.URL, handler, autoconfig.WithReadTimeout(timeout))
			if test.kind == autoconfigtest.UpdateEnvironment {
				handler.WaitForKind(t, rig.Soon, autoconfigtest.ReceivedAllEnvironments)
				service.Patch(rig.Environment(1, 2))
			}
			for waiting := true; waiting; {
				select {
				case <-handler.began:
					waiting = false
				case <-time.After(timeout / 10):
					service.Comment("") // the line is alive until then
				}
			}
			time.Sleep(2 * timeout) // the proof is that nothing happens in this time
			for version := 3; version <= 500; version++ {
				service.Patch(rig.Environment(1, version))
			}
			close(handler.release)
			for version := 3; version <= 500; version++ {
				name := rig.Environment(1, version).EnvName
				handler.WaitFor(t, rig.Soon, func(c autoconfigtest.Call) bool {
					return c.Kind == autoconfigtest.UpdateEnvironment && c.Params.Identifiers.EnvName == name
				})
			}
			assert.EqualValues(t, 1, manager.Status().Connections)
			assert.Nil(t, manager.Status().LastError)
		})
	}
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
