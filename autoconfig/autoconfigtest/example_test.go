package autoconfigtest_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

const key = config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001")

// relay is what a relay does with its configuration. An optional interface is left out here: see
// autoconfig.FilterHandler.
type relay struct{ ready chan struct{} }

func (r *relay) AddEnvironment(params envfactory.EnvironmentParams) {
	fmt.Printf("serve %s/%s with key %s\n", params.Identifiers.ProjKey, params.Identifiers.EnvKey, params.SDKKey)
}
func (r *relay) UpdateEnvironment(envfactory.EnvironmentParams)           {}
func (r *relay) ReceivedAllEnvironments()                                 { close(r.ready) }
func (r *relay) DeleteEnvironment(config.EnvironmentID)                   {}
func (r *relay) KeyExpired(id config.EnvironmentID, oldKey config.SDKKey) {}

// newManager makes a manager as a relay does, but retries at once, for tests.
func newManager(streamURI string, handler autoconfig.MessageHandler) *autoconfig.StreamManager {
	loggers := ldlog.NewDisabledLoggers()
	httpConfig, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, key, "my-relay/1.0", loggers)
	if err != nil {
		panic(err)
	}
	return autoconfig.NewStreamManager(key, streamURI, handler, httpConfig, time.Millisecond, loggers)
}

// Embed the manager and wait until the relay is ready: connected, and the first configuration complete.
func Example() {
	server := autoconfigtest.NewServer(nil) // in a test: NewServer(t), which also closes it
	defer server.Close()
	server.Put(autoconfigtest.MakePut(
		autoconfigtest.MakeEnvironment(1, 1),
		autoconfigtest.MakeEnvironment(2, 1),
	))

	handler := &relay{ready: make(chan struct{})}
	manager := newManager(server.URL, handler)
	defer manager.Close()
	if err := <-manager.Start(); err != nil {
		fmt.Println("the stream has failed for good:", err)
		return
	}
	<-handler.ready
	fmt.Println("ready with", len(manager.Environments()), "environments")
	// Output:
	// serve web/production with key …0001
	// serve web/staging with key …0002
	// ready with 2 environments
}

// Replay a stream that was saved with curl -N, and see what the manager makes of it.
func ExampleRecording() {
	file, err := os.Open("../../testdata/captured.sse")
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	recording, err := autoconfigtest.ParseRecording(file)
	if err != nil {
		panic(err)
	}
	replay := recording.Handler(autoconfigtest.ReplayOptions{})
	server := httptest.NewServer(replay)
	defer server.Close()

	recorder := autoconfigtest.NewRecorder()
	manager := newManager(server.URL, recorder)
	defer manager.Close() // before the server, which waits for its connections to end
	if err := <-manager.Start(); err != nil {
		panic(err)
	}
	<-replay.Played() // on the second connection, after the event that asks for it
	for _, call := range recorder.Calls() {
		fmt.Println(call)
	}
	// Output:
	// KeepAlive "hello"
	// AddEnvironment web/production
	// AddEnvironment web/staging
	// AddEnvironment app/production
	// ReceivedAllEnvironments
	// KeepAlive ""
	// UpdateEnvironment web/staging
	// AddEnvironment app/test
	// KeepAlive "keepalive"
	// DeleteEnvironment 5f1b0c7e0000000000000001
}

// Script a key rotation: the service announces a new key, and later the old one expires.
func ExampleServer_keyRotation() {
	server := autoconfigtest.NewServer(nil)
	defer server.Close()
	production := autoconfigtest.MakeEnvironment(1, 1)
	server.Put(autoconfigtest.MakePut(production))

	recorder := autoconfigtest.NewRecorder()
	manager := newManager(server.URL, recorder)
	defer manager.Close()
	if err := <-manager.Start(); err != nil {
		panic(err)
	}
	const timeout = 30 * time.Second
	recorder.WaitForKind(nil, timeout, autoconfigtest.ReceivedAllEnvironments) // in a test: t rather than nil

	newKey := config.SDKKey("sdk-00000000-0000-4000-8000-00000000beef")
	server.Patch(autoconfigtest.RotateSDKKey(production, newKey, time.Now().Add(5*time.Second)))
	update := recorder.Next(nil, timeout)
	fmt.Println(update)
	fmt.Println("the key is now", update.Params.SDKKey, "and still", update.Params.ExpiringSDKKey)
	fmt.Println(recorder.Next(nil, timeout))
	// Output:
	// UpdateEnvironment web/production
	// the key is now …beef and still …0001
	// KeyExpired 5f1b0c7e0000000000000001 …0001
}
