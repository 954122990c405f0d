package main

import (
	"context"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/listen"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/notify"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
)

// startHealth opens the --health-addr, and tells systemd from now on how watch is doing. The function that it returns ends
// both.
func (f *follower) startHealth() (stop func(), err error) {
	logger := f.settings.logger
	shown := ops.New(ops.Options{
		Report:  func() ops.Report { return ops.Report{Status: f.manager.Status()} },
		Version: version(), Logger: logger,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var server *listen.Server
	if f.options.healthAddr != "" {
		server, err = listen.Start(ctx, listen.Options{Name: "health", Address: f.options.healthAddr, Handler: shown.Sidecar(),
			MaxConnections: mostProbes, WriteTimeout: opsWriteTimeout, Logger: logger})
		if err != nil {
			cancel()
			return func() {}, listenError("health-addr", f.options.healthAddr, err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		notify.Watchdog(ctx, shown.Alive)
	}()
	told := make(chan struct{})
	go func() {
		defer close(told)
		f.tellWhenReady(ctx)
	}()
	return func() {
		notify.Stopping()
		cancel()
		<-ended
		<-told
		if server != nil {
			server.Shutdown(ctx) // at once: probes come again
		}
	}, nil
}

// tellWhenReady tells systemd once there is a full configuration.
func (f *follower) tellWhenReady(ctx context.Context) {
	select {
	case <-f.complete:
		notify.Ready()
	case <-ctx.Done():
	}
}
