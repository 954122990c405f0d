package shared

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/store/redisstore"
)

// The defaults of Options.
const (
	DefaultPeriod  = 2 * time.Second
	DefaultExpiry  = 15 * time.Second
	DefaultTimeout = 5 * time.Second
)

// Options say how a fleet is shared.
type Options struct {
	Local  *fleet.Local
	Hub    *hub.Hub
	URL    string               // of Redis, as redisstore has it
	Key    config.AutoConfigKey // that all hubs of the fleet have
	Name   string               // of this hub
	Logger *slog.Logger

	// NamesOnly keeps the names of this hub's relays in Redis, and nothing else: there is no other hub, and the Fleet is not
	// to be asked.
	NamesOnly bool

	Period     time.Duration // between two heartbeats. Default: DefaultPeriod
	Expiry     time.Duration // after which the news of a hub are too old to go by. Default: DefaultExpiry
	Timeout    time.Duration // for Redis to answer. Default: DefaultTimeout
	SeenWithin time.Duration // for how long hubs and relays that are gone are expected back. Default: fleet.DefaultSeenWithin
}

// Fleet is the fleet of several hubs, as one of them sees it. Its methods may be called from any goroutine.
type Fleet struct {
	local    *fleet.Local
	hub      *hub.Hub
	client   *redisstore.Client
	name     string
	instance string
	prefix   string // of the keys in Redis
	logger   *slog.Logger
	started  time.Time

	namesOnly bool
	period    time.Duration
	timeout   time.Duration

	closing context.Context // ends with Close
	close   context.CancelFunc
	running sync.WaitGroup // added to while mu is held and closing has not ended
	poked   chan struct{}  // holds a token when there is something to write or to read

	roster roster    // of this hub; used by the rounds alone
	names  nameTable // used by the rounds alone

	mu     sync.Mutex
	place  place
	state  state
	peers  peers
	change chan struct{} // closed, and replaced, when anything has changed
	calls  calls
}

// place is where the fleet is in Redis, and by which secret its records are known. Both follow from the key.
type place struct {
	secret
	keys
	left <-chan struct{} // closed when the key has changed
	quit func()
}

var (
	_ fleet.Directory = (*Fleet)(nil)
	_ fleet.Peers     = (*Fleet)(nil)
)

// New returns the fleet of a hub that has yet to hear of the others. Close ends it, before that of the hub itself. An error
// does not show the URL.
func New(o Options) (*Fleet, error) {
	client, err := redisstore.NewClient(o.URL, cmp.Or(o.Timeout, DefaultTimeout))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	f := &Fleet{
		local: o.Local, hub: o.Hub, client: client, name: o.Name, instance: rand.Text(), logger: o.Logger, started: now,
		prefix:    cmp.Or(client.Prefix, redisstore.DefaultPrefix),
		namesOnly: o.NamesOnly,
		period:    cmp.Or(o.Period, DefaultPeriod), timeout: cmp.Or(o.Timeout, DefaultTimeout),
		poked:  make(chan struct{}, 1),
		change: make(chan struct{}),
		names:  newNameTable(),
		calls:  newCalls(),
	}
	f.peers = peers{us: f.instance, name: o.Name, started: now, expiry: cmp.Or(o.Expiry, DefaultExpiry),
		within: cmp.Or(o.SeenWithin, fleet.DefaultSeenWithin), all: map[string]*peer{}, sent: map[uint64]time.Time{}, asking: true}
	f.place, err = f.newPlace(o.Key)
	if err == nil && strings.ContainsAny(client.Prefix, "{}") {
		err = fmt.Errorf("the prefix %q in the Redis URL has a brace in it: leave those out", client.Prefix)
	}
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	f.closing, f.close = context.WithCancel(context.Background())
	f.running.Go(f.keepInStep)
	f.running.Go(f.followLocal)
	if !o.NamesOnly {
		o.Local.Join(f)
		f.running.Go(f.listen)
	}
	return f, nil
}

func (f *Fleet) newPlace(key config.AutoConfigKey) (place, error) {
	secret, err := newSecret(key)
	keys := newKeys(f.prefix, secret.fleet)
	if f.namesOnly {
		keys.prefix += f.name + ":"
	}
	left := make(chan struct{})
	return place{secret, keys, left, func() { close(left) }}, err
}

// SetKey moves the hub to the fleet of another key. Until the other hubs have moved, too, they are not heard of.
func (f *Fleet) SetKey(key config.AutoConfigKey) error {
	fresh, err := f.newPlace(key)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fresh.fleet == f.place.fleet {
		return nil
	}
	f.place.quit()
	f.place = fresh
	for _, p := range f.peers.all {
		p.heardUs = 0
	}
	f.peers.asking = true
	f.wake()
	f.poke()
	return nil
}

// Close tells the other hubs that this one has ended, if Redis answers soon.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.close()
	f.mu.Unlock()
	f.running.Wait()
	if f.namesOnly {
		f.saveNames()
	} else {
		f.leave()
	}
	_ = f.client.Close()
}

// enter counts a goroutine in, unless Close was called.
func (f *Fleet) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing.Err() != nil {
		return false
	}
	f.running.Add(1)
	return true
}

// followLocal passes on the changes of this hub's own fleet.
func (f *Fleet) followLocal() {
	for {
		changed := f.local.Changed()
		f.mu.Lock()
		f.wake()
		f.mu.Unlock()
		f.poke()
		select {
		case <-changed:
		case <-f.closing.Done():
			return
		}
	}
}

// poke makes the next round begin soon.
func (f *Fleet) poke() {
	select {
	case f.poked <- struct{}{}:
	default:
	}
}

// wake tells those who wait for a change. It needs the lock.
func (f *Fleet) wake() {
	close(f.change)
	f.change = make(chan struct{})
}

// Changed implements fleet.Directory.
func (f *Fleet) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change
}

// Confirm implements fleet.Directory: it asks the other hubs.
func (f *Fleet) Confirm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.peers.asking = true
	f.poke()
}
