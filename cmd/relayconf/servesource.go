package main

import (
	"context"
	"net/http"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/filesource"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
)

// hubProtocolVersion is the version that a hub asks for: everything. Its relays get the versions that they ask for.
const hubProtocolVersion = 2

// source feeds the hub: a stream, or files.
type source interface {
	Status() autoconfig.Status
	SetKey(former, key config.AutoConfigKey)
	Done() <-chan struct{} // closed when it has failed for good; nil if it can't
	Err() error
	Close()
}

// noSource stands for the source before there is one.
type noSource struct{ since time.Time }

func (n noSource) Status() autoconfig.Status {
	return autoconfig.Status{State: autoconfig.StateInitializing, StateSince: n.since, Source: autoconfig.SourceNone}
}
func (noSource) SetKey(_, _ config.AutoConfigKey) {}
func (noSource) Done() <-chan struct{}            { return nil }
func (noSource) Err() error                       { return nil }
func (noSource) Close()                           {}

// streamSource is a manager whose Close waits for its end.
type streamSource struct{ *autoconfig.StreamManager }

// SetKey makes the stream follow; the manager makes the cache follow once the service has accepted the key.
func (s streamSource) SetKey(_, key config.AutoConfigKey) { s.StreamManager.SetKey(key) }

func (s streamSource) Close() {
	s.StreamManager.Close()
	<-s.Done()
}

// startStream follows the service. A rejected key is tried again slowly, since relays may be served meanwhile; wait ends the
// command if there is nothing to serve.
func (s *server) startStream() source {
	o := s.options
	options := []autoconfig.Option{
		autoconfig.WithProtocolVersion(hubProtocolVersion),
		autoconfig.WithReadTimeout(o.readTimeout),
		autoconfig.WithStatusListener(s.hub.Follow),
		autoconfig.WithRejectedKeyRetry(),
	}
	if s.cache != nil {
		options = append(options, autoconfig.WithStore(checkedCache{s.cache, s.foreign, &s.cacheAnswered}))
	}
	manager := autoconfig.NewStreamManager(s.settings.key, s.settings.AutoConfig.StreamURI, s.changes(), s.settings.http,
		initialRetryDelay, s.settings.loggers, options...)
	manager.Start()
	return streamSource{manager}
}

// fileSource is a source that does not fail.
type fileSource struct{ *filesource.Source }

// SetKey makes the cache follow.
func (s fileSource) SetKey(former, key config.AutoConfigKey) { s.RotateKey(former, key) }
func (fileSource) Done() <-chan struct{}                     { return nil }
func (fileSource) Err() error                                { return nil }

// startFiles reads the files before it returns.
func (s *server) startFiles(ctx context.Context) (source, error) {
	options := filesource.Options{Path: s.options.environments, Handler: s.changes(), Logger: s.logger, Status: s.followFiles}
	if s.cache != nil {
		options.Store, options.Shared = s.cache, s.options.cache.RedisURL != ""
	}
	files, err := filesource.Start(ctx, options)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	return fileSource{files}, nil
}

func (s *server) followFiles(status autoconfig.Status) {
	switch status.Source {
	case autoconfig.SourceStore:
		s.hub.SetSource(hub.Source{Kind: hub.SourceStore, Time: time.Now().Add(-status.SnapshotAge)})
	case autoconfig.SourceStream:
		s.hub.SetSource(hub.Source{Kind: hub.SourceFile, Time: status.LastActivity})
	}
}

// rejected tells whether the service rejects the key, and nothing else is there to serve.
func rejected(status autoconfig.Status) bool {
	e := status.LastError
	return status.Source == autoconfig.SourceNone && e != nil &&
		(e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden)
}
