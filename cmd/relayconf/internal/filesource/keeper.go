package filesource

import (
	"context"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
)

const (
	storeTimeout = 5 * time.Second
	retrySave    = 30 * time.Second // after a save that failed
	saveAgain    = time.Hour        // without a change, in case the store was lost
	syncStore    = time.Minute      // how often a shared store is looked at for the versions of other hubs
)

// keeper saves the inventory, and tries again until that succeeds.
type keeper struct {
	source *Source
	dirty  chan struct{} // holds a token while there is something to save
	ended  chan struct{}
	saving sync.Mutex // held during a save
}

func startKeeper(s *Source) *keeper {
	k := &keeper{source: s, dirty: make(chan struct{}, 1), ended: make(chan struct{})}
	k.changed()
	go k.run()
	return k
}

// changed asks for a save. It never blocks; a nil keeper keeps nothing.
func (k *keeper) changed() {
	if k == nil {
		return
	}
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

func (k *keeper) run() {
	defer close(k.ended)
	next := time.NewTimer(saveAgain)
	defer next.Stop()
	var syncs <-chan time.Time
	if k.source.options.Shared {
		ticker := time.NewTicker(syncStore)
		defer ticker.Stop()
		syncs = ticker.C
	}
	failed := false
	save := func() {
		err := k.save()
		switch {
		case err != nil:
			k.source.options.Logger.Error("The configuration could not be stored; trying again", "error", err)
			next.Reset(retrySave)
		case failed:
			k.source.options.Logger.Info("The configuration could be stored again")
			fallthrough
		default:
			next.Reset(saveAgain)
		}
		failed = err != nil
	}
	for {
		select {
		case <-k.dirty:
			save()
		case <-next.C:
			save()
		case <-syncs:
			k.source.sync()
		case <-k.source.closing:
			select {
			case <-k.dirty:
				save()
			default:
			}
			return
		}
	}
}

func (k *keeper) save() error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	s := k.source
	s.mu.Lock()
	snapshot, err := s.inventory.snapshot(s.confirmed, time.Now())
	s.mu.Unlock()
	k.saving.Lock()
	defer k.saving.Unlock()
	if err == nil {
		err = s.options.Store.Save(ctx, snapshot)
	}
	if err != nil {
		s.mu.Lock()
		s.status.StoreFailures++
		s.mu.Unlock()
	}
	return err
}

// others returns the inventory that several hubs share. It is empty where none is shared, or none can be loaded.
func (s *Source) others(ctx context.Context) *inventory {
	if !s.options.Shared {
		return newInventory()
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	snapshot, err := s.options.Store.Load(ctx)
	if err != nil || snapshot == nil {
		return newInventory() // a failure to save is reported, and this one comes with it
	}
	return fromSnapshot(snapshot)
}

// sync takes over the versions that other hubs have given to the same items, so that all hubs agree.
func (s *Source) sync() {
	others := s.others(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes := s.inventory.adopt(s.document, others); len(changes) > 0 {
		s.options.Handler.Changes(false, changes)
		s.options.Logger.Info("Took over the versions of another hub", "changes", len(changes))
	}
}

// RotateKey makes a store that encrypts with the auto-configuration key follow when that changes.
func (s *Source) RotateKey(former, key config.AutoConfigKey) {
	store, encrypts := s.options.Store.(autoconfig.KeyedStore)
	if !encrypts || s.keeper == nil {
		return
	}
	s.keeper.saving.Lock()
	store.RotateKey(former, key)
	s.keeper.saving.Unlock()
	s.keeper.changed()
}
