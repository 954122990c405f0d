package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/certs"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/filesource"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet/shared"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/keyfile"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/listen"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/notify"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/page"
	"github.com/relayconf/relayconf/hub"
)

const (
	// opsWriteTimeout is for a response to operators and scrapers; a profile takes 30 s.
	opsWriteTimeout = 2 * time.Minute
	// mostProbes is how many connections of operators, probes and scrapers are open at a time.
	mostProbes = 100
)

// server is a running serve.
type server struct {
	settings settings
	options  serveOptions
	logger   *slog.Logger
	hub      *hub.Hub
	cache    cache // nil if there is none
	// cacheAnswered tells that a stream's cache was loaded, or could not be.
	cacheAnswered atomic.Bool
	foreign       chan error    // has the error of a cache that is something else
	fleet         *fleet.Local  // of this hub
	shared        *shared.Fleet // of all hubs; nil if there is one only
	names         *shared.Fleet // keeps names beside a cache in Redis; nil if it need not
	delivery      prometheus.Histogram
	ops           *ops.Ops

	page *page.Page // nil without an admin listener

	patterns patternLog

	source   atomic.Pointer[source]
	draining atomic.Bool
	former   []hub.Key // former keys of the hub that still count

	keys   *keyfile.File         // nil without --keys
	certs  []*certs.Certificates // of the listeners with TLS
	relays *listen.Server
	others []*listen.Server // for operators and probes
}

// runServe is the command.
func runServe(o serveOptions, initTimeoutSet bool) error {
	signals := catchSignals(context.Background(), o.keyFile)
	defer signals.end()
	if o.demo {
		return serveDemo(o, signals)
	}
	settings, logger, err := serveSettings(&o)
	if err != nil {
		return err
	}
	if !initTimeoutSet {
		o.initTimeout = settings.AutoConfig.InitTimeout
	}
	s, err := newServer(settings, o, logger)
	if err != nil {
		return err
	}
	return s.run(signals)
}

func newServer(settings settings, o serveOptions, logger *slog.Logger) (*server, error) {
	cache, err := openCache(o.cache, settings.key, settings.loggers)
	if err != nil {
		return nil, err
	}
	s := &server{settings: settings, options: o, logger: logger, cache: cache, foreign: make(chan error, 1),
		delivery: newDelivery()}
	options := []hub.Option{
		hub.WithLogger(logger),
		hub.WithDeliveryObserver(func(d time.Duration) { s.delivery.Observe(d.Seconds()) }),
	}
	if o.keys != "" {
		options = append(options, hub.WithUnknownKeyGrace(o.unknownKeyGrace))
	}
	s.hub = hub.New(options...)
	s.setSource(noSource{time.Now()})
	if err := s.startFleet(); err != nil {
		return nil, withCode(exitUsage, err)
	}
	return s, nil
}

func (s *server) setSource(source source) { s.source.Store(&source) }

func (s *server) currentSource() source { return *s.source.Load() }

// run serves until there is a reason to end.
func (s *server) run(signals signals) error {
	err := s.start(signals.stop)
	if err == nil {
		stopWatchdog := s.startWatchdog()
		err = s.wait(signals)
		s.drain()
		stopWatchdog()
	}
	s.close()
	switch {
	case err == nil:
		s.logger.Info("Ended")
	case s.logger.Enabled(context.Background(), slog.LevelError):
		s.logger.Error("Ended", "error", logging.Lines(maskKeys(err.Error())))
		err = logged(err)
	}
	return err
}

// startWatchdog tells systemd that the process is alive, until stop is called.
func (s *server) startWatchdog() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		notify.Watchdog(ctx, s.ops.Alive)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// start opens the listeners before it starts the source, so that probes see the reason that it is not ready. Files with a
// mistake, which it could only serve from a cache, are refused before that.
func (s *server) start(ctx context.Context) error {
	if err := s.startKeys(ctx); err != nil {
		return err
	}
	if s.options.environments != "" && s.cache == nil {
		if err := filesource.Check(s.options.environments); err != nil && !errors.Is(err, filewatch.ErrBeingWritten) {
			return withCode(exitUsage, err)
		}
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if s.options.environments == "" {
		s.setSource(s.startStream())
		return nil
	}
	files, err := s.startFiles(ctx)
	if err == nil {
		s.setSource(files)
	}
	return err
}

func (s *server) listen(ctx context.Context) (err error) {
	o := s.options
	relays := listen.Options{Name: "relays", Address: o.addr, Handler: s.relayHandler(), MaxConnections: maxConnections(o.maxConnections),
		Logger: s.logger}
	if o.tlsCert != "" {
		if relays.TLS, err = s.tls(certs.Files{Cert: o.tlsCert, Key: o.tlsKey, ClientCA: o.tlsClientCA}); err != nil {
			return err
		}
	}
	if s.relays, err = listen.Start(ctx, relays); err != nil {
		return listenError("addr", o.addr, err)
	}
	s.ops = ops.New(ops.Options{Report: s.report, Version: version(), Details: s.details, Profiling: o.profiling,
		Collectors: []prometheus.Collector{hubCollector{s}, s.delivery}, Logger: s.logger})
	if o.healthAddr != "" {
		if err := s.listenTo(ctx, "health", o.healthAddr, s.ops.Probes(), nil); err != nil {
			return err
		}
	}
	return s.listenToOperators(ctx)
}

// tls reads certificates, and again when their files change.
func (s *server) tls(files certs.Files) (*tls.Config, error) {
	c, err := certs.Start(files, s.logger)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	s.certs = append(s.certs, c)
	return c.Config(), nil
}

func (s *server) listenTo(ctx context.Context, name, address string, handler http.Handler, tls *tls.Config) error {
	opened, err := listen.Start(ctx, listen.Options{Name: name, Address: address, Handler: handler, TLS: tls, MaxConnections: mostProbes,
		WriteTimeout: opsWriteTimeout, Logger: s.logger})
	if err == nil {
		s.others = append(s.others, opened)
	}
	return listenError(name+"-addr", address, err)
}

// wait returns when there is a reason to end: an error, or nil if it is a good one.
func (s *server) wait(signals signals) error {
	const pollInterval = 50 * time.Millisecond
	poll := time.NewTicker(pollInterval) // until the first configuration
	defer poll.Stop()
	var timeout <-chan time.Time
	if s.options.initTimeout > 0 {
		timer := time.NewTimer(s.options.initTimeout)
		defer timer.Stop()
		timeout = timer.C
	}
	source := s.currentSource()
	cacheAnswered := s.cache == nil // at the poll before
	keys := s.settings.keyChanges(signals.stop, signals.hup)
	for {
		select {
		case <-poll.C:
			switch status := source.Status(); {
			case s.hub.Status().Ready:
				poll.Stop()
				timeout = nil
				s.logger.Info("Serving the configuration", "source", s.hub.Status().Source.Kind, "environments", status.Environments)
				notify.Ready()
			case rejected(status) && !s.options.retryRejectedKey && cacheAnswered: // else the cache may have something to serve
				return withCode(exitPermanent, fmt.Errorf("%s; give another key, or --retry-rejected-key", status.LastError.Message))
			}
			cacheAnswered = cacheAnswered || s.cacheAnswered.Load()
		case <-timeout:
			return withCode(exitInitTimeout, s.startFailure(source))
		case key := <-keys:
			s.changeKey(key)
		case <-signals.stop.Done():
			return nil
		case err := <-s.foreign:
			return withCode(exitUsage, err)
		case <-source.Done():
			return withCode(exitPermanent, source.Err())
		case <-s.relays.Failed():
			return fmt.Errorf("the listener for relays has failed")
		}
	}
}

func (s *server) startFailure(source source) error {
	text := fmt.Sprintf("there is no full configuration after %s", change.Duration(s.options.initTimeout))
	if e := source.Status().LastError; e != nil {
		return fmt.Errorf("%s; the last problem was: %s", text, e.Message)
	}
	return fmt.Errorf("%s; the service has not answered yet", text)
}

// drain sends the relays elsewhere. Without any there is nothing to wait for.
func (s *server) drain() {
	notify.Stopping()
	s.draining.Store(true)
	if relays := s.hub.Status().Relays; relays > 0 {
		s.logger.Info("Draining", "relays", relays, "delay", s.options.drainDelay, "time", s.options.drainTime)
		time.Sleep(s.options.drainDelay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.drainTime)
	defer cancel()
	if err := s.hub.Drain(ctx); err != nil {
		s.logger.Warn("Some relays were still connected at the end of the drain time", "error", err)
	}
}

// close ends everything that was started, links and listeners last.
func (s *server) close() {
	s.currentSource().Close()
	if s.keys != nil {
		s.keys.Close()
	}
	s.hub.Close()
	if s.page != nil {
		s.page.Close()
	}
	for _, inRedis := range []*shared.Fleet{s.shared, s.names} {
		if inRedis != nil {
			inRedis.Close()
		}
	}
	s.fleet.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.relays != nil {
		s.relays.Shutdown(ctx)
	}
	for _, other := range s.others {
		other.Shutdown(ctx)
	}
	for _, c := range s.certs {
		c.Close()
	}
	if s.cache != nil {
		_ = s.cache.Close() // failed saves were reported
	}
}
