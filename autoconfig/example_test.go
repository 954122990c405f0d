package autoconfig_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

// Relay is told what to serve. A real one starts, changes and stops its environments here.
type Relay struct{}

func (Relay) AddEnvironment(p envfactory.EnvironmentParams)    { fmt.Println("serve", p.Identifiers) }
func (Relay) UpdateEnvironment(p envfactory.EnvironmentParams) { fmt.Println("change", p.Identifiers) }
func (Relay) ReceivedAllEnvironments()                         { fmt.Println("ready to serve") }
func (Relay) DeleteEnvironment(id config.EnvironmentID)        { fmt.Println("stop", id) }
func (Relay) KeyExpired(id config.EnvironmentID, old config.SDKKey) {
	fmt.Println("no longer accept", old, "in", id)
}

// This is how a relay follows its stream. It needs a service, so it is compiled and not run; the examples of package
// autoconfigtest bring their own service.
func Example() {
	settings, err := config.FromEnv(os.LookupEnv) // AUTO_CONFIG_KEY, STREAM_URI, PROXY_URL and so on
	if err != nil {
		log.Fatal(err)
	}
	loggers := ldlog.NewDefaultLoggers()
	key := settings.AutoConfig.Key
	httpConfig, err := httpconfig.NewHTTPConfig(settings.Proxy, key, "my-relay/1.0", loggers)
	if err != nil {
		log.Fatal(err)
	}

	manager := autoconfig.NewStreamManager(key, settings.AutoConfig.StreamURI, Relay{},
		httpConfig, time.Second, loggers)
	if err := <-manager.Start(); err != nil { // waits for the first connection
		log.Fatal(err)
	}
	<-manager.Done() // after manager.Close(), or when it has failed for good
	fmt.Println("ended:", manager.Err())
}
