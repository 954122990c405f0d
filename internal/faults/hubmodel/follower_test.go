package hubmodel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

// memory is a store that survives its managers.
type memory struct {
	mu       sync.Mutex
	snapshot *autoconfig.Snapshot
}

// incarnation is a memory as one process has it. After the process was killed, nothing is saved any more.
type incarnation struct {
	*memory
	killed bool // guarded by mu
}

var errKilled = errors.New("killed")

// Load implements autoconfig.Store.
func (m *incarnation) Load(context.Context) (*autoconfig.Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshot, nil
}

// Save implements autoconfig.Store.
func (m *incarnation) Save(_ context.Context, snapshot *autoconfig.Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.killed {
		return errKilled
	}
	m.snapshot = snapshot
	return nil
}

func (m *incarnation) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.killed = true
}

// dialer connects to a place in memory.
type dialer func(ctx context.Context) (net.Conn, error)

// newManager makes a manager that connects by dial, and starts it.
func newManager(key string, dial dialer, handler autoconfig.MessageHandler, options ...autoconfig.Option) *autoconfig.StreamManager {
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, // the manager asks for gzip itself
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	options = append(options, autoconfig.WithHTTPClient(&http.Client{Transport: transport}))
	m := autoconfig.NewStreamManager(config.AutoConfigKey(key), "http://hub", handler, httpconfig.HTTPConfig{}, time.Second,
		ldlog.NewDisabledLoggers(), options...)
	m.Start()
	return m
}

// follower is a relay that is built with autoconfig. It may restart, with its store.
type follower struct {
	key     string
	at      *treeHub // the hub that it connects to; guarded by mu
	store   memory
	manager *autoconfig.StreamManager
	process *incarnation

	mu   sync.Mutex
	live map[string]int // versions by id
	lost []string       // stable environments that it was told to drop
}

func newFollower(key string, at *treeHub) *follower {
	f := &follower{key: key, at: at}
	f.start()
	return f
}

func (f *follower) start() {
	f.mu.Lock()
	f.live = map[string]int{}
	f.mu.Unlock()
	f.process = &incarnation{memory: &f.store}
	f.manager = newManager(f.key, func(ctx context.Context) (net.Conn, error) { return f.hub().dial(ctx, "", "") }, f,
		autoconfig.WithStore(f.process))
}

func (f *follower) hub() *treeHub {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// move makes it connect to a hub, and drops the connection that it has.
func (f *follower) move(to *treeHub) {
	f.mu.Lock()
	f.at = to
	f.mu.Unlock()
	f.manager.Reconnect()
}

// restart kills it, and starts it from its store.
func (f *follower) restart() {
	f.process.kill()
	f.close()
	f.start()
}

func (f *follower) close() {
	f.manager.Close()
	<-f.manager.Done()
}

// has returns the versions of its live items, and its digest.
func (f *follower) has() (map[string]int, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.live), f.manager.Status().Digest
}

// problem returns which stable environment it has lost.
func (f *follower) problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lost) > 0 {
		return fmt.Sprintf("a relay with %s has lost %v", f.key, f.lost)
	}
	return ""
}

// Changes implements autoconfig.ChangeHandler.
func (f *follower) Changes(_ bool, changes []autoconfig.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range changes {
		if c.Kind == autoconfig.EnvironmentChanged {
			f.live[c.ID] = c.Version
			continue
		}
		if _, had := f.live[c.ID]; had && isStable(c.ID) {
			f.lost = append(f.lost, c.ID)
		}
		delete(f.live, c.ID)
	}
}

func (*follower) AddEnvironment(envfactory.EnvironmentParams)    {}
func (*follower) UpdateEnvironment(envfactory.EnvironmentParams) {}
func (*follower) ReceivedAllEnvironments()                       {}
func (*follower) DeleteEnvironment(config.EnvironmentID)         {}
func (*follower) KeyExpired(config.EnvironmentID, config.SDKKey) {}
