package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent"
)

func TestMain(m *testing.M) {
	if !benchRelaysMain() {
		goleak.VerifyTestMain(m)
	}
}

// soon is far more than anything here takes, on a slow machine too.
const soon = time.Minute

const testKey = "rel-00000000-0000-4000-8000-00000000c0de"

// rig is a hub with its fleet, over real sockets.
type rig struct {
	t        testing.TB
	hub      *hub.Hub
	local    *Local
	api      API
	url      string
	upstream atomic.Pointer[string] // why it is not confirmed; nil: it is
}

func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, hub: hub.New()}
	require.NoError(t, r.hub.SetKeys([]hub.Key{{Name: "hub", Key: testKey}}))
	o := Options{Hub: r.hub, Name: "hub-1", Version: "test", Logger: slog.New(slog.DiscardHandler), Settle: time.Nanosecond,
		PingTimeout: soon}
	for _, f := range change {
		f(&o)
	}
	var err error
	r.local, err = NewLocal(o)
	require.NoError(t, err)
	r.api = API{Directory: r.local, SeenWithin: DefaultSeenWithin, Upstream: func() (bool, string) {
		if why := r.upstream.Load(); why != nil {
			return false, *why
		}
		return true, ""
	}}
	mux := http.NewServeMux()
	mux.Handle("/link", r.local)
	mux.Handle("/", r.hub)
	server := httptest.NewServer(mux)
	r.url = server.URL
	t.Cleanup(func() {
		r.local.Close()
		r.hub.Close()
		server.Close()
	})
	return r
}

func namesIn(folder string) func(*Options) {
	return func(o *Options) { o.NamesFile = filepath.Join(folder, "names") }
}

// has makes the hub serve exactly these environments: versions by their ids.
func (r *rig) has(versions map[string]int) {
	var changes []autoconfig.Change
	for id, version := range versions {
		changes = append(changes, changeOf(id, version))
	}
	r.hub.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	r.hub.Changes(true, changes)
}

// patch changes one environment.
func (r *rig) patch(id string, version int) {
	r.hub.Changes(false, []autoconfig.Change{changeOf(id, version)})
}

func changeOf(id string, version int) autoconfig.Change {
	project, _, _ := strings.Cut(id, "-")
	text := fmt.Sprintf(`{"envID":%q,"envKey":"production","envName":"P","projKey":%q,"projName":"P","sdkKey":{"value":"sdk-secret-%s"},"version":%d}`, id, project, id, version)
	return autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: version, Text: json.RawMessage(text)}
}

// testRelay is a relay whose handler can be stopped: while hold is locked, its calls wait.
type testRelay struct {
	manager *autoconfig.StreamManager
	agent   *agent.Agent // nil if it has none
	hold    *sync.Mutex
}

type heldHandler struct{ hold *sync.Mutex }

// wait returns when nobody holds the handler.
func (h heldHandler) wait() {
	h.hold.Lock()
	defer h.hold.Unlock()
}

func (h heldHandler) AddEnvironment(envfactory.EnvironmentParams)    { h.wait() }
func (h heldHandler) UpdateEnvironment(envfactory.EnvironmentParams) { h.wait() }
func (heldHandler) ReceivedAllEnvironments()                         {}
func (heldHandler) DeleteEnvironment(config.EnvironmentID)           {}
func (heldHandler) KeyExpired(config.EnvironmentID, config.SDKKey)   {}

func (r *rig) manager(key config.AutoConfigKey, options ...autoconfig.Option) testRelay {
	hold := &sync.Mutex{}
	m := autoconfig.NewStreamManager(key, r.url, heldHandler{hold}, httpconfig.HTTPConfig{}, time.Millisecond, ldlog.NewDisabledLoggers(),
		append(options, autoconfig.WithProtocolVersion(2))...)
	return testRelay{manager: m, hold: hold}
}

// bare starts a relay without agent.
func (r *rig) bare() testRelay {
	relay := r.manager(testKey)
	relay.manager.Start()
	r.t.Cleanup(relay.stop)
	return relay
}

// relay starts a relay with an agent.
func (r *rig) relay(name string, key ...config.AutoConfigKey) testRelay {
	r.t.Helper()
	return r.relayWith(name, append(key, testKey)[0])
}

func (r *rig) relayWith(name string, key config.AutoConfigKey, options ...autoconfig.Option) testRelay {
	r.t.Helper()
	relay := r.manager(key, options...)
	var err error
	relay.agent, err = agent.New(relay.manager, r.url, agent.WithName(name), agent.WithVersion("test 1"),
		agent.WithBackoff(10*time.Millisecond, 100*time.Millisecond))
	require.NoError(r.t, err)
	relay.agent.Start()
	relay.manager.Start()
	r.t.Cleanup(relay.stop)
	return relay
}

func (x testRelay) stop() {
	if x.agent != nil {
		x.agent.Close()
	}
	x.manager.Close()
	<-x.manager.Done()
}

// find returns a relay of the fleet.
func (r *rig) find(name string) Relay {
	for _, relay := range r.local.Overview().Relays {
		if relay.Name == name {
			return relay
		}
	}
	return Relay{}
}

func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, soon, 5*time.Millisecond, what)
}

func (r *rig) inSync(names ...string) {
	r.t.Helper()
	for _, name := range names {
		r.eventually(name+" in sync", func() bool { return r.find(name).InSync() })
	}
}

// waiting is a wait that runs.
type waiting struct {
	t        testing.TB
	progress chan Progress
	last     Progress
}

func (r *rig) wait(c Condition) *waiting {
	r.t.Helper()
	if c.TimeoutSeconds == 0 {
		c.TimeoutSeconds = soon.Seconds()
	}
	require.NoError(r.t, c.check(DefaultSeenWithin))
	ctx, cancel := context.WithCancel(r.t.Context())
	w := &waiting{t: r.t, progress: make(chan Progress, 1000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(w.progress)
		r.api.Wait(ctx, c, func(p Progress) error { w.progress <- p; return nil })
	}()
	r.t.Cleanup(func() { cancel(); <-ended })
	return w
}

// result waits for the end.
func (w *waiting) result() Progress {
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

// memory is the heap in use and the stacks, after a garbage collection.
func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
