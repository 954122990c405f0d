package filestore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/store/filestore"
)

// A relay that starts while the service is down begins with what it knew last.
func Example_startWithoutTheService() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	const key = config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001")
	service := autoconfigtest.NewServer(nil)
	service.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))

	run := func() {
		cache, err := filestore.New(filepath.Join(folder, "relayconf.cache"), filestore.Options{Key: key})
		if err != nil {
			fmt.Println(err)
			return
		}
		relay := autoconfigtest.NewRecorder() // your MessageHandler
		manager := autoconfig.NewStreamManager(key, service.URL, relay, httpconfig.HTTPConfig{}, time.Second,
			ldlog.NewDisabledLoggers(), autoconfig.WithStore(cache))
		manager.Start() // its channel waits for the service; the calls of the relay do not
		fmt.Println(relay.Next(nil, 10*time.Second))
		fmt.Println(relay.Next(nil, 10*time.Second))
		fmt.Println("from:", manager.Status().Source)
		manager.Close()
		<-manager.Done() // the cache is up to date
	}
	run()
	service.Close()
	run()
	// Output:
	// AddEnvironment web/production
	// ReceivedAllEnvironments
	// from: STREAM
	// AddEnvironment web/production
	// ReceivedAllEnvironments
	// from: STORE
}
