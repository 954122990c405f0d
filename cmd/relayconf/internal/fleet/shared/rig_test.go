//go:build servers

package shared

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent"
)

const (
	// soon is far more than anything here takes, on a slow machine too.
	soon = time.Minute

	fleetKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-00000000c0de"
	otherKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-0000000000ff"
)

// rig is a hub of a fleet, over real sockets, with a real Redis server.
type rig struct {
	*Fleet
	t    *testing.T
	hub  *hub.Hub
	api  fleet.API
	addr string // of the listener for relays
	log  *logged
}

// logged keeps the log.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// missedSoon is for tests of hubs that die. Elsewhere a hub that the machine is slow for must not be missed.
func missedSoon(o *Options) { o.Expiry = 3 * time.Second }

func startHub(t *testing.T, redisURL, name string, change ...func(*Options)) *rig {
	t.Helper()
	return startHubThatSettles(t, time.Nanosecond, redisURL, name, change...)
}

// startHubThatSettles starts a hub that is not sure whom to expect for a time, unless others tell it.
func startHubThatSettles(t *testing.T, settle time.Duration, redisURL, name string, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, hub: hub.New(), log: &logged{}}
	require.NoError(t, r.hub.SetKeys([]hub.Key{{Name: "hub", Key: fleetKey}, {Name: "second", Key: otherKey}}))
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	local, err := fleet.NewLocal(fleet.Options{Hub: r.hub, Name: name, Version: "test", Logger: logger, Settle: settle,
		PingTimeout: 5 * time.Second})
	require.NoError(t, err)
	o := Options{Local: local, Hub: r.hub, URL: redisURL, Key: fleetKey, Name: name, Logger: logger,
		Period: 100 * time.Millisecond, Timeout: 2 * time.Second}
	for _, f := range change {
		f(&o)
	}
	r.Fleet, err = New(o)
	require.NoError(t, err)
	r.api = fleet.API{Directory: r.Fleet, SeenWithin: fleet.DefaultSeenWithin, Upstream: func() (bool, string) { return true, "" }}
	mux := http.NewServeMux()
	mux.Handle("/link", local)
	mux.Handle("/", r.hub)
	server := httptest.NewServer(mux)
	r.addr = server.Listener.Addr().String()
	t.Cleanup(func() {
		r.end()
		server.Close()
	})
	r.has(map[string]int{"web-1": 1})
	return r
}

// end ends the hub in order. It may be called twice.
func (r *rig) end() {
	r.Close()
	r.local.Close()
	r.hub.Close()
}

// has makes the hub serve exactly these environments: versions by their ids.
func (r *rig) has(versions map[string]int) {
	var changes []autoconfig.Change
	for id, version := range versions {
		text := fmt.Sprintf(`{"envID":%q,"envKey":"production","envName":"P","projKey":"web","projName":"P","sdkKey":{"value":"sdk-secret"},"version":%d}`, id, version)
		changes = append(changes, autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: version, Text: json.RawMessage(text)})
	}
	r.hub.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	r.hub.Changes(true, changes)
}

// find returns a relay of the fleet; it must be there once at most.
func (r *rig) find(name string) (found fleet.Relay) {
	r.t.Helper()
	count := 0
	for _, relay := range r.Overview().Relays {
		if relay.Name == name {
			count++
			found = relay
		}
	}
	require.LessOrEqual(r.t, count, 1, "%s is shown %d times", name, count)
	return found
}

func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, soon, 5*time.Millisecond, what)
}

// shows waits until the relay is in sync at the hub, and the view is complete.
func (r *rig) shows(name string, at *rig) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%s is in sync at %s", name, at.name), func() bool {
		relay := r.find(name)
		return relay.InSync() && relay.Hub == at.name && r.Overview().Incomplete == ""
	})
}

// says waits until the view is incomplete for a reason.
func (r *rig) says(reason string) {
	r.t.Helper()
	r.eventually("incomplete: "+reason, func() bool { return strings.Contains(r.Overview().Incomplete, reason) })
}

func (r *rig) complete() {
	r.t.Helper()
	r.eventually("complete", func() bool { return r.Overview().Incomplete == "" })
}

// relay is a relay with an agent.
type relay struct {
	manager *autoconfig.StreamManager
	agent   *agent.Agent
	hold    *sync.Mutex // while it is locked, the handler waits
}

type heldHandler struct{ hold *sync.Mutex }

func (h heldHandler) wait() {
	h.hold.Lock()
	defer h.hold.Unlock()
}

func (h heldHandler) AddEnvironment(envfactory.EnvironmentParams)    { h.wait() }
func (h heldHandler) UpdateEnvironment(envfactory.EnvironmentParams) { h.wait() }
func (heldHandler) ReceivedAllEnvironments()                         {}
func (heldHandler) DeleteEnvironment(config.EnvironmentID)           {}
func (heldHandler) KeyExpired(config.EnvironmentID, config.SDKKey)   {}

// startRelay starts a relay whose stream and link are to an address.
func startRelay(t *testing.T, addr, name string, key ...config.AutoConfigKey) relay {
	t.Helper()
	with := append(key, fleetKey)[0]
	r := relay{hold: &sync.Mutex{}}
	r.manager = autoconfig.NewStreamManager(with, "http://"+addr, heldHandler{r.hold}, httpconfig.HTTPConfig{}, time.Millisecond,
		ldlog.NewDisabledLoggers(), autoconfig.WithProtocolVersion(2))
	var err error
	r.agent, err = agent.New(r.manager, "http://"+addr, agent.WithName(name), agent.WithVersion("test 1"),
		agent.WithBackoff(10*time.Millisecond, 100*time.Millisecond))
	require.NoError(t, err)
	r.agent.Start()
	r.manager.Start()
	t.Cleanup(r.stop)
	return r
}

func (r relay) stop() {
	r.agent.Close()
	r.manager.Close()
	<-r.manager.Done()
}

// waiting is a wait that runs.
type waiting struct {
	t        *testing.T
	progress chan fleet.Progress
	last     fleet.Progress
}

func (r *rig) wait(c fleet.Condition) *waiting {
	r.t.Helper()
	if c.TimeoutSeconds == 0 {
		c.TimeoutSeconds = soon.Seconds()
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	w := &waiting{t: r.t, progress: make(chan fleet.Progress, 10_000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(w.progress)
		r.api.Wait(ctx, c, func(p fleet.Progress) error { w.progress <- p; return nil })
	}()
	r.t.Cleanup(func() { cancel(); <-ended })
	return w
}

// result waits for the end.
func (w *waiting) result() fleet.Progress {
	w.t.Helper()
	for p := range w.progress {
		w.last = p
	}
	return w.last
}

// says waits for progress in which the relay is missing for this reason, and the wait goes on.
func (w *waiting) says(name, reason string) {
	w.t.Helper()
	for p := range w.progress {
		w.last = p
		if p.Result != "" {
			break
		}
		for _, m := range p.Missing {
			if m.Name == name && strings.Contains(m.Reason, reason) {
				return
			}
		}
	}
	require.FailNow(w.t, "never said", "%s %s; last: %+v", name, reason, w.last)
}
