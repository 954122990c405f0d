package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/show"
	"github.com/relayconf/relayconf/store"
)

// checkedCache notices when the cache is named by mistake: when something else than a cache is there.
type checkedCache struct {
	cache
	foreign  chan<- error // has room for the one error of Load
	answered *atomic.Bool // set when Load has returned
}

func (c checkedCache) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	snapshot, err := c.cache.Load(ctx)
	defer c.answered.Store(true)
	if errors.Is(err, store.ErrForeign) {
		c.foreign <- err
	}
	return snapshot, err
}

// sayWhereFrom prints a line if the change is the first that comes from the cache, or from the stream after that.
func (f *follower) sayWhereFrom(c *change.Change) {
	if f.cache == nil {
		return
	}
	status := f.manager.Status()
	switch {
	case status.Source == autoconfig.SourceStore && f.source != autoconfig.SourceStore:
		f.print(change.Change{Time: c.Time, Kind: change.CacheLoaded,
			Environments: status.Environments, Age: status.SnapshotAge})
	case status.Source == autoconfig.SourceStream && f.source == autoconfig.SourceStore:
		f.print(change.Change{Time: c.Time, Kind: change.StreamTookOver})
	}
	f.source = status.Source
	c.FromCache = c.Kind == change.ReceivedAll && status.Source == autoconfig.SourceStore
}

// endFromCache ends --once with the configuration in the cache, since the stream takes too long.
func (f *follower) endFromCache() error {
	f.settings.loggers.Warnf("The service has not delivered within %s; ending with the configuration from the cache, confirmed %s ago",
		change.Duration(f.options.initTimeout), show.Age(f.manager.Status().SnapshotAge))
	return nil
}
