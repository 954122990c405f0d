//go:build linux

package main

import (
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/store/filestore"
)

// ours is package hub behind a manager.
type ours struct{ *hub.Hub }

func newHub(options serverOptions) contender {
	settings := []hub.Option{hub.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))}
	if !options.admission {
		settings = append(settings, hub.WithAdmission(math.MaxInt, math.MaxInt))
	}
	h := hub.New(settings...)
	check(h.SetKeys([]hub.Key{{Name: "relays", Key: key}}))
	following := []autoconfig.Option{autoconfig.WithProtocolVersion(2), autoconfig.WithStatusListener(h.Follow)}
	if options.cache != "" {
		files, err := filestore.New(options.cache, filestore.Options{Key: key})
		check(err)
		following = append(following, autoconfig.WithStore(files))
	}
	autoconfig.NewStreamManager(key, "http://"+options.upstream, h.Handler(), httpconfig.HTTPConfig{}, time.Second,
		ldlog.NewDisabledLoggers(), following...).Start()
	return ours{h}
}

func (o ours) serve(listener net.Listener) { check(http.Serve(listener, o.Hub)) }
func (o ours) ready() bool                 { s := o.Status(); return s.Ready && s.Source.Confirmed() }
func (o ours) relays() int                 { return o.Status().Relays }
func (o ours) dropped() int                { return int(o.Status().Counters.DroppedSlow) }
