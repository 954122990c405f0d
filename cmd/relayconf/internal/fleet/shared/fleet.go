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

	"google.golang.org/protobuf/proto"

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

	Period  time.Duration // between two heartbeats. Default: DefaultPeriod
	Expiry  time.Duration // after which the news of a hub are too old to go by. Default: DefaultExpiry
	Timeout time.Duration // for Redis to answer. Default: DefaultTimeout
}

// Fleet is the fleet of several hubs, as one of them sees it.
type Fleet struct {
	local    *fleet.Local
	hub      *hub.Hub
	client   *redisstore.Client
	name     string
	instance string
	prefix   string
	logger   *slog.Logger
	started  time.Time

	period  time.Duration
	expiry  time.Duration
	timeout time.Duration

	closing context.Context // ends with Close
	close   context.CancelFunc
	running sync.WaitGroup
	news    chan struct{} // holds a token when there is something to write or to read

	roster roster // of this hub; used by the rounds alone

	mu      sync.Mutex
	secret  secret
	keys    keys
	state   state
	change  chan struct{} // closed, and replaced, when anything has changed
	peers   map[string]*peer
	number  uint64               // of the latest heartbeat
	sent    map[uint64]time.Time // when each of the recent heartbeats was made
	asking  bool                 // the next heartbeat asks for answers
	asked   uint64               // the latest heartbeat that asked
	rewrite bool                 // another hub lacks parts of the roster
}

var _ fleet.Directory = (*Fleet)(nil)

// New returns the fleet of a hub that has yet to hear of the others. Close ends it. An error does not show the URL.
func New(o Options) (*Fleet, error) {
	secret, err := newSecret(o.Key)
	if err != nil {
		return nil, err
	}
	client, err := redisstore.NewClient(o.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(client.Prefix, "{}") {
		_ = client.Close()
		return nil, fmt.Errorf("the prefix %q in the Redis URL has a brace in it: leave those out", client.Prefix)
	}
	now := time.Now()
	f := &Fleet{
		local: o.Local, hub: o.Hub, client: client, name: o.Name, instance: rand.Text(), logger: o.Logger, started: now,
		prefix: cmp.Or(client.Prefix, redisstore.DefaultPrefix),
		period: cmp.Or(o.Period, DefaultPeriod), expiry: cmp.Or(o.Expiry, DefaultExpiry), timeout: cmp.Or(o.Timeout, DefaultTimeout),
		news:   make(chan struct{}, 1),
		secret: secret,
		change: make(chan struct{}),
		peers:  map[string]*peer{},
		sent:   map[uint64]time.Time{},
		asking: true,
	}
	f.keys = newKeys(f.prefix, secret.fleet)
	f.closing, f.close = context.WithCancel(context.Background())
	f.running.Go(f.keepInStep)
	f.running.Go(f.listen)
	f.running.Go(f.followLocal)
	return f, nil
}

// Close tells the other hubs that this one has ended, if Redis answers soon.
func (f *Fleet) Close() {
	f.close()
	f.running.Wait()
	f.leave()
	_ = f.client.Close()
}

// followLocal passes on the changes of this hub's fleet.
func (f *Fleet) followLocal() {
	for {
		changed := f.local.Changed()
		f.wake()
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
	case f.news <- struct{}{}:
	default:
	}
}

// wake tells those who wait for a change.
func (f *Fleet) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakeLocked()
}

// wakeLocked is wake for those who have the lock.
func (f *Fleet) wakeLocked() {
	close(f.change)
	f.change = make(chan struct{})
}

// Changed implements fleet.Directory.
func (f *Fleet) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change
}

// Call implements fleet.Directory.
func (f *Fleet) Call(ctx context.Context, name string, request, response proto.Message) error {
	return f.local.Call(ctx, name, request, response)
}

// Forget implements fleet.Directory.
func (f *Fleet) Forget(name string) error { return f.local.Forget(name) }
