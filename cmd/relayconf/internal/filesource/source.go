package filesource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/store"
)

const (
	// minInterval is the least time between two rereads that are applied. A version is then never ahead of the Unix time
	// in seconds, so that the versions of a hub that has lost its store don't go back.
	minInterval = time.Second
	// patience is how long the start waits for files that are being written.
	patience = 10 * time.Second
)

// Options are the path to read, the receivers of changes and statuses, and the store.
type Options struct {
	Path    string                   // a file, or a folder of files
	Handler autoconfig.ChangeHandler // gets the changes, one call at a time
	Store   autoconfig.Store         // keeps versions, and the configuration for a start with broken files; nil: none
	Shared  bool                     // other hubs of the same files use the Store, too
	Status  func(autoconfig.Status)  // told of each new status: of the first before the Handler gets its changes, then after; nil: nobody
	Logger  *slog.Logger
}

// Source reads the files again when they change. It owns two goroutines, which end with Close.
type Source struct {
	options  Options
	watcher  *filewatch.Watcher
	keeper   *keeper // nil without a store, or if that is of another key
	loaded   bool    // there was a configuration in the store
	otherKey bool    // the stored configuration is encrypted with another key
	closing  chan struct{}
	closed   sync.Once

	mu        sync.Mutex
	inventory *inventory
	document  document  // as of the latest read that was applied
	known     bool      // the handler has got a configuration
	applied   time.Time // when changes were applied last
	confirmed time.Time // when the files were as served last
	status    autoconfig.Status
}

// Start loads the store, reads the files, and gives the handler all of the configuration before it returns. If the files
// have a mistake, the stored configuration is served until it is mended; without one, Start returns the error:
// strictyaml.Problems if the files could be read. It also returns the error of a Store that finds something else in its
// place (store.ErrForeign).
func Start(ctx context.Context, options Options) (*Source, error) {
	s := &Source{
		options:   options,
		closing:   make(chan struct{}),
		inventory: newInventory(),
		status: autoconfig.Status{State: autoconfig.StateInitializing, StateSince: time.Now(),
			Source: autoconfig.SourceNone},
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	before := filewatch.Take(options.Path)
	err := s.firstRead(ctx)
	environments, filters := s.inventory.count()
	if err != nil && environments+filters == 0 {
		return nil, err
	}
	if err != nil {
		s.report(err)
		s.startFromStore()
	}
	if options.Store != nil && !s.otherKey {
		s.keeper = startKeeper(s)
	}
	s.warnOfVersions()
	s.watcher = filewatch.Start(before, s.reread)
	return s, nil
}

// Close ends the source. It waits until a running reread and a running save have ended. It may be called twice.
func (s *Source) Close() {
	s.closed.Do(func() { close(s.closing) })
	s.watcher.Close()
	if s.keeper != nil {
		<-s.keeper.ended
	}
}

// Status returns how the source is doing, in the words of a stream: VALID while the files are as served, INTERRUPTED while
// a mistake keeps them from being served.
func (s *Source) Status() autoconfig.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// load loads the stored inventory. It returns an error if something else than a store is there, which must stay.
func (s *Source) load(ctx context.Context) error {
	if s.options.Store == nil {
		return nil
	}
	snapshot, err := s.options.Store.Load(ctx)
	switch {
	case errors.Is(err, store.ErrForeign):
		return err
	case errors.Is(err, store.ErrWrongKey):
		// Nothing says which key is the right one, as a service does that accepts one. To save would set the stored one aside.
		s.status.StoreFailures++
		s.otherKey = true
		s.options.Logger.Warn("The cache is encrypted with another key than this hub has. It is left as it is, and nothing is saved there: "+
			"the versions go on from the time. If the key was changed, start once with the former one in --cache-older-key-file; "+
			"if the key is a mistake, mend it; if the cache is of no use, move it away", "cache", placeOf(err))
	case err != nil:
		s.status.StoreFailures++
		s.options.Logger.Warn("The stored configuration could not be loaded; the versions go on from the time", "error", err)
	case snapshot != nil:
		s.inventory, s.confirmed, s.loaded = fromSnapshot(snapshot), snapshot.LastConfirmed(), true
	}
	return nil
}

// placeOf returns the place of a stored configuration that can't be used.
func placeOf(err error) string {
	var unreadable *store.UnreadableError
	if errors.As(err, &unreadable) {
		return unreadable.Place
	}
	return ""
}

// firstRead is patient with files that are being written.
func (s *Source) firstRead(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		d, err := read(s.options.Path)
		if err == nil {
			s.apply(d, s.others(ctx))
			return nil
		}
		if !isBeingWritten(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w. Replace files in one step, as mv does", err)
		case <-again.C:
		}
	}
}

func (s *Source) startFromStore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	environments, _ := s.inventory.count()
	s.status.Source, s.status.Environments = autoconfig.SourceStore, environments
	s.status.SnapshotAge = max(0, time.Since(s.confirmed))
	s.told()
	s.options.Handler.Changes(true, s.inventory.all())
	s.known = true
	s.options.Logger.Warn("Serving the stored configuration until the files are mended", "environments", environments,
		"confirmed", s.confirmed.UTC())
}

// reread is called by the watcher.
func (s *Source) reread() error {
	s.mu.Lock()
	wait := minInterval - time.Since(s.applied)
	s.mu.Unlock()
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.closing:
			return nil
		}
	}
	d, err := read(s.options.Path)
	switch {
	case err == nil:
		s.apply(d, s.others(context.Background()))
	case !isBeingWritten(err):
		s.report(err)
	}
	return err
}

// apply gives the handler the changes. Versions that others gave to the same items go before new ones.
func (s *Source) apply(d document, others *inventory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	adopted := s.inventory.adopt(d, others)
	changes, unversioned := s.inventory.update(d, now)
	changes = append(adopted, changes...)
	recovered := s.status.State == autoconfig.StateInterrupted || s.status.Source == autoconfig.SourceStore
	environments, filters := s.inventory.count()
	s.document, s.confirmed = d, now
	s.status.Source, s.status.SnapshotAge, s.status.Environments = autoconfig.SourceStream, 0, environments
	s.status.LastActivity = now
	s.setState(autoconfig.StateValid)
	if !s.known {
		s.told()
	}
	switch {
	case !s.known:
		s.options.Handler.Changes(true, s.inventory.all())
		s.options.Logger.Info("Read the environments", "path", s.options.Path, "environments", environments, "filters", filters)
	case len(changes) > 0:
		s.options.Handler.Changes(false, changes)
		s.options.Logger.Info("Read the environments again", "path", s.options.Path, "environments", environments,
			"filters", filters, "changes", len(changes))
	case recovered:
		s.options.Logger.Info("The environments are valid again, with no change", "path", s.options.Path)
	}
	if s.known {
		s.told() // a hub that served the stored configuration must not confirm it before the changes to it are there
	}
	for _, id := range unversioned {
		s.options.Logger.Warn("An item changed, but not its version in the file. Other hubs may give it another version", "id", id)
	}
	s.known = true
	if len(changes) > 0 {
		s.applied = now
		s.keeper.changed()
	}
}

// report logs why files were not applied.
func (s *Source) report(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.LastError = &autoconfig.ErrorInfo{Kind: autoconfig.ErrorKindInvalidData, Message: err.Error(), Time: time.Now()}
	if s.status.State == autoconfig.StateValid {
		s.setState(autoconfig.StateInterrupted)
	}
	s.told()
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		s.options.Logger.Error("The environments were not read; nothing has changed", "error", err)
		return
	}
	for _, line := range problems.Lines() {
		s.options.Logger.Error("The environments have a mistake; nothing has changed", "error", line)
	}
}

func (s *Source) setState(state autoconfig.State) {
	if s.status.State != state {
		s.status.State, s.status.StateSince = state, time.Now()
	}
}

func (s *Source) told() {
	if s.options.Status != nil {
		s.options.Status(s.status)
	}
}

// warnOfVersions says under which condition several hubs agree.
func (s *Source) warnOfVersions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Shared || s.loaded {
		return // it was said when the store was empty
	}
	for id, i := range s.document.environments {
		if i.version() != s.inventory.environments[id].version {
			s.options.Logger.Warn("The versions of the environments are this hub's own, which is fine if it is the only hub of these files. " +
				"Several hubs of the same files must share a Redis cache, or the files must give versions above the Unix time")
			return
		}
	}
}
