package fleet

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

func TestARelayIsShownAsItIs(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	a := r.relay("a")
	r.inSync("a")
	r.eventually("round trip and status", func() bool { return r.find("a").RoundTrip > 0 && r.find("a").Status != nil })
	shown := relayJSON(r.find("a"), time.Now())
	assert.True(t, shown.Connected && shown.Agent && shown.InSync && !shown.Sent)
	assert.Nil(t, shown.BehindSeconds)
	assert.Equal(t, []string{"a", "hub-1", "hub", "test 1", "VALID"}, []string{shown.Name, shown.Hub, shown.Key, shown.Version, shown.Status.State})
	assert.Equal(t, a.manager.Status().Digest, shown.Digest)

	a.hold.Lock()
	r.patch("web-1", 2)
	r.eventually("it knows, and has not applied it", func() bool { return a.manager.Status().Digest == r.find("a").Want && !r.find("a").InSync() })
	shown = relayJSON(r.find("a"), time.Now())
	assert.NotNil(t, shown.BehindSeconds)
	behind := behindBy(t.Context(), r.local, r.find("a"))
	assert.Equal(t, []BehindJSON{{Environment: "web-1", Expected: new(int64(2))}}, behind)
	a.hold.Unlock()
	r.inSync("a")
	assert.Empty(t, behindBy(t.Context(), r.local, r.find("a")))
}

// memoryStore is the store of a relay.
type memoryStore struct {
	saved atomic.Pointer[autoconfig.Snapshot]
}

func (s *memoryStore) Load(context.Context) (*autoconfig.Snapshot, error) { return s.saved.Load(), nil }

func (s *memoryStore) Save(_ context.Context, snapshot *autoconfig.Snapshot) error {
	s.saved.Store(snapshot)
	return nil
}

func TestARelayThatResumesIsInSyncAtOnce(t *testing.T) {
	store := &memoryStore{}
	for _, resumed := range []bool{false, true} {
		r := newRig(t) // another hub, to which the relay comes with its configuration
		a := r.relayWith("a", testKey, autoconfig.WithStore(store))
		r.eventually("loaded", func() bool { return !resumed || a.manager.Status().Source == autoconfig.SourceStore })
		r.has(map[string]int{"web-1": 1})
		r.inSync("a")
		r.eventually("followed", func() bool { return a.manager.Status().Source == autoconfig.SourceStream })
		assert.Equal(t, resumed, a.manager.Status().Resumed)
		a.stop()
	}
}

func TestARelayThatLostItsLinkIsNotAlsoOneWithoutAgent(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	a := r.relay("a")
	r.inSync("a")
	a.agent.Close()
	r.eventually("no link", func() bool { return !r.find("a").Connected })
	assert.Len(t, r.hub.Relays(), 1, "its stream goes on")
	assert.Len(t, r.local.Overview().Relays, 1)
}

func TestLosingTheLinkChangesNothingOfTheConfiguration(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	a := r.relay("a")
	r.inSync("a")
	before := a.manager.Status()
	r.local.Close()
	r.eventually("no link", func() bool { return !a.agent.Connected() })
	r.patch("web-1", 2)
	r.eventually("the stream goes on", func() bool { v, _ := a.manager.AppliedVersions(); return v["web-1"] == 2 })
	assert.Equal(t, before.Connections, a.manager.Status().Connections)
}

// TestAnAgentThatComesLaterHasTheStreamOfItsManager lists the relay once, although its stream began before it had an agent.
func TestAnAgentThatComesLaterHasTheStreamOfItsManager(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	relay := r.bare()
	r.eventually("its stream", func() bool { return r.find("stream:127.0.0.1").Connected })
	a, err := agent.New(relay.manager, r.url, agent.WithName("a"), agent.WithVersion("test 1"))
	require.NoError(t, err)
	a.Start()
	defer a.Close()
	r.inSync("a")
	assert.Len(t, r.local.Overview().Relays, 1)
	assert.Equal(t, uint64(1), relay.manager.Status().Connections)
}

func TestANameIsTakenByTheRules(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	first := r.relay("a")
	r.inSync("a")
	link := r.find("a").Epoch
	second := r.relay("a")
	const attempts = 5 // the second is refused four times
	r.eventually("attempts", func() bool { return r.local.lastLink.Load() >= attempts })
	assert.Equal(t, link, r.find("a").Epoch, "the first link stays, as it answers")
	assert.Equal(t, first.manager.Instance(), r.find("a").Instance)
	assert.False(t, second.agent.Connected())
	first.stop()
	r.eventually("the second gets it", func() bool { return r.find("a").Instance == second.manager.Instance() && second.agent.Connected() })
}

func TestARelayThatDoesNotAnswerLosesItsName(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PingTimeout = 200 * time.Millisecond })
	r.has(map[string]int{"web-1": 1})
	_, _, session := r.join("a", "a-hung-process-00")
	r.eventually("it has the name", func() bool { return r.find("a").Instance == "a-hung-process-00" })
	next := r.relay("a")
	r.eventually("the next has it", func() bool { return r.find("a").Instance == next.manager.Instance() })
	<-session.CloseChan() // the hub ends the link of the relay that was replaced
}

func TestOneProcessReplacesItsOldLinkAtOnce(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PingTimeout = time.Hour })
	r.has(map[string]int{"web-1": 1})
	first := r.relay("a")
	r.inSync("a")
	link := r.find("a").Epoch
	r.local.mu.Lock()
	session := r.local.members["a"].link.session
	r.local.mu.Unlock()
	_ = session.Close()
	r.eventually("another link", func() bool { return r.find("a").Epoch > link })
	assert.Equal(t, first.manager.Instance(), r.find("a").Instance)
}

func TestKeysBindNames(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.hub.SetKeys([]hub.Key{
		{Name: "eu", Key: "rel-eu", RelayNames: []string{"eu-*"}}, {Name: "us", Key: "rel-us"},
	}))
	r.has(map[string]int{"web-1": 1})
	wrong := r.relay("us-1", "rel-eu")
	right := r.relay("eu-1", "rel-eu")
	r.inSync("eu-1")
	thief := r.relay("eu-1", "rel-us")
	right.stop()
	r.eventually("it is absent", func() bool { return !r.find("eu-1").Connected })
	assert.Never(t, func() bool { return wrong.agent.Connected() || thief.agent.Connected() }, 300*time.Millisecond, 10*time.Millisecond,
		"names in the key file, and the key that the name was seen with")
	require.NoError(t, r.local.Forget("eu-1"))
	r.eventually("a forgotten name is free", func() bool { return r.find("eu-1").Key == "us" })
}

func TestARevokedKeyEndsTheLink(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	a := r.relay("a")
	r.inSync("a")
	require.NoError(t, r.hub.SetKeys([]hub.Key{{Name: "other", Key: "rel-other"}}))
	r.eventually("no link", func() bool { return !r.find("a").Connected && !a.agent.Connected() })
}

func TestTheLinkNeedsAKey(t *testing.T) {
	r := newRig(t)
	for key, want := range map[string]int{"": 401, "rel-unknown": 401, testKey: 400} { // 400: no WebSocket
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/link", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", key)
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		assert.Equal(t, want, response.StatusCode, key)
	}
}

func TestReportsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	report := &agentpb.ReportRequest{Status: &agentpb.Status{State: long, Source: "a\x1b[31m", LastError: &agentpb.Error{Message: long}}}
	require.NoError(t, checkReport(report))
	assert.Len(t, report.Status.State, 20)
	assert.Len(t, report.Status.LastError.Message, maxText)
	assert.NotContains(t, report.Status.Source, "\x1b")
	for _, d := range []string{"x", strings.Repeat("g", 32), strings.Repeat("a", 31)} {
		assert.Error(t, checkReport(&agentpb.ReportRequest{AppliedDigest: d}), d)
	}
}

func TestFunctions(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 3})
	a := r.relay("a")
	r.inSync("a")
	call := func(name, argument string) (any, error) {
		return CallFunction(t.Context(), r.local, "a", name, argument)
	}
	info, err := call("get-version-info", "")
	require.NoError(t, err)
	assert.Equal(t, "test 1", info.(versionInfoJSON).Version)
	current, err := call("get-status", "")
	require.NoError(t, err)
	assert.Equal(t, a.manager.Status().Digest, current.(currentStatusJSON).AppliedDigest)
	environments, err := call("list-environments", "")
	require.NoError(t, err)
	require.Len(t, environments, 1)
	assert.Equal(t, "…eb-1", environments.([]environmentJSON)[0].SDKKey, "masked")
	assert.Equal(t, int64(3), *environments.([]environmentJSON)[0].AppliedVersion)
	connections := a.manager.Status().Connections
	_, err = call("reconnect", "")
	require.NoError(t, err)
	r.eventually("reconnected", func() bool { return a.manager.Status().Connections > connections })

	for _, row := range []struct {
		name, argument string
		code           codes.Code
	}{{"set-log-level", "debug", codes.Unimplemented}, {"set-log-level", "", codes.InvalidArgument}, {"reconnect", "x", codes.InvalidArgument}, {"nothing", "", codes.InvalidArgument}} {
		_, err = call(row.name, row.argument)
		assert.Equal(t, row.code, status.Code(err), row.name)
	}
	_, err = CallFunction(t.Context(), r.local, "nobody", "get-status", "")
	assert.Error(t, err)
}

func TestNoSecretCrossesTheLink(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 3})
	r.relay("a")
	r.inSync("a")
	var list agentpb.ListEnvironmentsResponse
	require.NoError(t, r.local.Call(t.Context(), "a", &agentpb.ListEnvironmentsRequest{}, &list))
	text, err := protojson.Marshal(&list)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "sdk-secret")
	assert.NotContains(t, string(text), testKey)
}

func TestABrokenFileOfNamesIsNoFleetWithoutRelays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	for _, text := range []string{"", "{", `{"format":"other","version":1}`, `{"format":"relayconf-fleet-names","version":2}`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := openNames(path, time.Hour, 0, nil)
		assert.ErrorContains(t, err, "can't be used", text)
	}
}

func TestNamesAreBounded(t *testing.T) {
	n, err := openNames("", time.Hour, 0, nil)
	require.NoError(t, err)
	defer n.close()
	now := time.Now()
	n.mu.Lock()
	for i := range maxNames {
		n.byName[strings.Repeat("x", 5)+time.Duration(i).String()] = Name{Key: "hub", LastSeen: now}
	}
	n.mu.Unlock()
	assert.True(t, n.full("new", now))
	assert.False(t, n.full("new", now.Add(2*time.Hour)), "they are kept for an hour")
}
