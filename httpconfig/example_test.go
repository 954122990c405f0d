package httpconfig_test

import (
	"fmt"
	"log"
	"os"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

// Make the HTTP configuration that the environment variables ask for.
func ExampleNewHTTPConfig() {
	c, err := config.FromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err) // every bad variable, a line each
	}
	loggers := ldlog.NewDefaultLoggers()
	loggers.SetMinLevel(c.LogLevel)
	httpConfig, err := httpconfig.NewHTTPConfig(c.Proxy, c.AutoConfig.Key, "my-relay/1.0", loggers)
	if err != nil {
		log.Fatal(err)
	}
	client := httpConfig.Client() // for the streams, and for any other request to the service
	fmt.Println(client.Timeout)
}
