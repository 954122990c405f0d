package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/store/filestore"
)

// A hub in a server of one's own, fed by hand.
func Example() {
	h := hub.New()
	defer h.Close()
	if err := h.SetKeys([]hub.Key{{Name: "relays", Key: "rel-example"}}); err != nil {
		log.Fatal(err)
	}
	h.SetSource(hub.Source{Kind: hub.SourceFile, Time: time.Now()})
	h.Changes(true, []autoconfig.Change{{
		Kind:    autoconfig.EnvironmentChanged,
		ID:      "env-1",
		Version: 1,
		Text:    json.RawMessage(`{"envID":"env-1","envKey":"production","projKey":"web","sdkKey":{"value":"sdk-1"},"version":1}`),
	}})

	mux := http.NewServeMux()
	mux.Handle("/relay_auto_config", h)
	server := httptest.NewServer(mux)
	defer server.Close()

	// A relay.
	request, err := http.NewRequest(http.MethodGet, server.URL+"/relay_auto_config", nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "rel-example")
	stream, err := eventsource.SubscribeWithRequest("", request)
	if err != nil {
		log.Fatal(err)
	}
	event := <-stream.Events
	stream.Close()
	for range stream.Events { // until it has ended
	}
	fmt.Println(event.Event(), event.Data())
	// Output: put {"path":"/","data":{"environments":{"env-1":{"envID":"env-1","envKey":"production","projKey":"web","sdkKey":{"value":"sdk-1"},"version":1}}}}
}

// A hub behind a manager, with a store: it starts, and serves relays, also while the service is down.
func Example_manager() {
	key := config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001")
	files, err := filestore.New("/var/lib/example/hub.cache", filestore.Options{Key: key})
	if err != nil {
		log.Fatal(err)
	}
	h := hub.New(hub.WithLogger(slog.Default()))
	if err := h.SetKeys([]hub.Key{{Name: "hub", Key: key}}); err != nil { // relays present the hub's own key
		log.Fatal(err)
	}
	manager := autoconfig.NewStreamManager(key, config.DefaultStreamURI, h.Handler(), httpconfig.HTTPConfig{}, time.Second,
		ldlog.NewDefaultLoggers(),
		autoconfig.WithProtocolVersion(2), // with filters, for the relays that ask for them
		autoconfig.WithStore(files),
		autoconfig.WithStatusListener(h.Follow))
	manager.Start()
	server := &http.Server{Addr: ":8030", Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Print(server.ListenAndServe()) }()

	terminated, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-terminated.Done()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = h.Drain(ctx)
	_ = server.Close()
	manager.Close()
	<-manager.Done() // the cache is up to date
}
