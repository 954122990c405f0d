package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/hub"
)

// keyed is an environment with a key, as a manager wants it.
func keyed(id string, version int) autoconfig.Change {
	change := env(id, version)
	change.Text = json.RawMessage(fmt.Sprintf(`{"envID":%q,"projKey":"web","sdkKey":{"value":"sdk-%s"},"version":%d}`, id, id, version))
	return change
}

// newStored serves a hub with a stored configuration, which nothing has confirmed.
func newStored(t *testing.T, stored ...autoconfig.Change) *server {
	s := newServer(t, nil)
	s.SetSource(hub.Source{Kind: hub.SourceStore, Time: time.Now().Add(-time.Hour)})
	s.Changes(true, stored)
	return s
}

// follow starts a manager, which ends with the test.
func follow(t *testing.T, uri string, handler autoconfig.MessageHandler, options ...autoconfig.Option) *autoconfig.StreamManager {
	t.Helper()
	loggers := ldlog.NewDisabledLoggers()
	client, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "relay-test", loggers)
	require.NoError(t, err)
	m := autoconfig.NewStreamManager(testKey, uri, handler, client, time.Millisecond, loggers, options...)
	m.Start()
	t.Cleanup(func() {
		m.Close()
		<-m.Done()
	})
	return m
}

func ids(m *autoconfig.StreamManager) (all []string) {
	for _, env := range m.Environments() {
		all = append(all, string(env.EnvID))
	}
	return all
}

func hasIDs(m *autoconfig.StreamManager, want ...string) func() bool {
	return func() bool { return slices.Equal(ids(m), want) }
}

// losing counts the environments that a relay is told to drop.
type losing struct {
	*autoconfigtest.Recorder
	lost atomic.Int32
}

func (l *losing) DeleteEnvironment(config.EnvironmentID)                { l.lost.Add(1) }
func (l *losing) UpdateEnvironment(params envfactory.EnvironmentParams) {}

func TestARelayThatNeedsAPutLosesNothingToAStoredConfiguration(t *testing.T) {
	stored := newStored(t, keyed("a", 1))
	var requests atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			stored.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `event: put
data: {"path":"/","data":{"environments":{"a":`+string(keyed("a", 2).Text)+`,"b":`+string(keyed("b", 1).Text)+`}}}

event: patch
data: this is not JSON

`)
	}))
	t.Cleanup(front.Close)
	handler := &losing{Recorder: autoconfigtest.NewRecorder()}
	m := follow(t, front.URL, handler)
	eventually(t, func() bool { return stored.Status().Counters.RefusedNoConfig > 0 })
	assert.Equal(t, []string{"a", "b"}, ids(m))
	stored.Changes(true, changes{keyed("a", 2), keyed("b", 1), keyed("c", 1)})
	stored.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	eventually(t, hasIDs(m, "a", "b", "c"))
	assert.Zero(t, handler.lost.Load())
}

func TestAHubBehindAHubWithAStoredConfigurationIsNotConfirmedEither(t *testing.T) {
	upper := newStored(t, keyed("a", 1))
	lower := newServer(t, nil)
	lower.SetSource(hub.Source{Kind: hub.SourceNone})
	m := follow(t, upper.http.URL, lower.Handler(), autoconfig.WithStatusListener(lower.Follow))
	relay := follow(t, lower.http.URL, autoconfigtest.NewRecorder())
	eventually(t, hasIDs(relay, "a"))
	eventually(t, func() bool { return relay.Status().State == autoconfig.StateValid })
	for _, status := range []autoconfig.Status{m.Status(), relay.Status()} {
		assert.Equal(t, autoconfig.SourceStore, status.Source)
		assert.GreaterOrEqual(t, status.SnapshotAge, time.Hour-time.Second)
	}
	_, text := lower.refused(t, request{id: "00000000000000000000000000000001"})
	assert.Contains(t, text, "may be older than yours")

	upper.Changes(true, changes{keyed("b", 1)})
	upper.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	eventually(t, func() bool { return relay.Status().Source == autoconfig.SourceStream })
	assert.Equal(t, []string{"a", "b"}, ids(relay), "it is said when all is there")
	assert.Equal(t, hub.SourceStream, lower.Status().Source.Kind)
	assert.Equal(t, uint64(1), relay.Status().Connections)
	assert.Equal(t, "put a@1 b@1", short(t, lower.open(t, request{id: "00000000000000000000000000000001"}).next()))
}

func TestAHubIsConfirmedWhenItHasAllThatItsStreamWasResumedFor(t *testing.T) {
	var sources []hub.SourceKind
	upper := newServer(t, changes{keyed("a", 1)})
	grant, err := upper.Authenticate(testKey)
	require.NoError(t, err)
	held := grant.View(1).Digest
	upper.Changes(false, changes{keyed("b", 1)})
	store := &memoryStore{snapshot: &autoconfig.Snapshot{FormatVersion: autoconfig.SnapshotFormat, Digest: held,
		Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{"a": {}},
		Texts:        &autoconfig.SnapshotTexts{Environments: map[config.EnvironmentID]string{"a": string(keyed("a", 1).Text)}}}}
	lower := hub.New()
	m := follow(t, upper.http.URL, lower.Handler(), autoconfig.WithStore(store), autoconfig.WithStatusListener(func(s autoconfig.Status) {
		lower.Follow(s)
		sources = append(sources, lower.Status().Source.Kind)
		if lower.Status().Source.Confirmed() {
			assert.Equal(t, 2, lower.Status().Environments)
		}
	}))
	eventually(t, func() bool { return lower.Status().Source.Confirmed() })
	assert.True(t, m.Status().Resumed)
	m.Close()
	<-m.Done()
	assert.Equal(t, hub.SourceStore, sources[0])
}

// memoryStore has a snapshot to start from, and keeps nothing.
type memoryStore struct{ snapshot *autoconfig.Snapshot }

func (s *memoryStore) Load(context.Context) (*autoconfig.Snapshot, error) { return s.snapshot, nil }
func (*memoryStore) Save(context.Context, *autoconfig.Snapshot) error     { return nil }
