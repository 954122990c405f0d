//go:build servers

package shared

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

var (
	reconnect   = &agentpb.ReconnectRequest{}
	reconnected = &agentpb.ReconnectResponse{}
)

func TestRelaysOfOtherHubsAreCalled(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	b := startRelay(t, two.addr, "b")
	one.shows("b", two)
	var info agentpb.VersionInfo
	require.NoError(t, one.Call(t.Context(), "b", &agentpb.GetVersionInfoRequest{}, &info))
	assert.Equal(t, "test 1", info.Version)
	connections := b.manager.Status().Connections
	require.NoError(t, one.Call(t.Context(), "b", reconnect, reconnected))
	one.eventually("reconnected", func() bool { return b.manager.Status().Connections > connections })

	for name, test := range map[string]struct {
		relay string
		want  codes.Code
	}{
		"an error of the relay": {"b", codes.Unimplemented},
		"no such relay":         {"nobody", codes.Unavailable},
	} {
		err := one.Call(t.Context(), test.relay, &agentpb.SetLogLevelRequest{Level: "debug"}, &agentpb.SetLogLevelResponse{})
		there := two.Call(t.Context(), test.relay, &agentpb.SetLogLevelRequest{Level: "debug"}, &agentpb.SetLogLevelResponse{})
		assert.Equal(t, test.want, status.Code(err), name)
		assert.Equal(t, there.Error(), err.Error(), "the same as at its own hub")
	}
}

func TestACallThatIsLostSaysSoInTime(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	long := func(o *Options) { o.Expiry = time.Minute } // so that the hub is not missed
	one, two := startHub(t, server.url(), "hub-1", long), startHub(t, "redis://"+toRedis.addr(), "hub-2", long)
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	toRedis.cut()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := one.Call(ctx, "b", reconnect, reconnected)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.ErrorContains(t, err, "hub-2")
	assert.ErrorContains(t, err, "try again")
	server.kill(t)
	ctx, cancel = context.WithTimeout(t.Context(), soon)
	defer cancel()
	err = one.Call(ctx, "b", reconnect, reconnected)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.ErrorContains(t, err, "try again")
}

// A thief of messages has all that goes through Redis, and can send it again, and elsewhere.
func TestACallCountsOnce(t *testing.T) {
	server := startServer(t)
	one, two := startHub(t, server.url(), "hub-1"), startHub(t, server.url(), "hub-2")
	b := startRelay(t, two.addr, "b")
	one.shows("b", two)
	thief := server.client(t)
	mail := two.where().mail(two.instance)
	heard := thief.Subscribe(t.Context(), mail)
	defer heard.Close()
	_, err := heard.Receive(t.Context())
	require.NoError(t, err)
	connections := b.manager.Status().Connections
	require.NoError(t, one.Call(t.Context(), "b", reconnect, reconnected))
	message, err := heard.ReceiveMessage(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, message.Payload, string(fleetKey))
	one.eventually("reconnected", func() bool { return b.manager.Status().Connections == connections+1 })

	forged, err := testSecret(t, "rel-of-another-fleet").seal(kindCall, two.instance, call{ID: "x", From: one.instance, Relay: "b", Number: 1})
	require.NoError(t, err)
	old, err := one.where().seal(kindCall, two.instance, call{ID: "y", From: one.instance, Relay: "b"}) // answers no heartbeat
	require.NoError(t, err)
	for _, bad := range []string{message.Payload, string(forged), string(old), "", "nonsense"} {
		before := two.Stats().Ignored
		require.NoError(t, thief.Publish(t.Context(), mail, bad).Err())
		one.eventually("ignored", func() bool { return two.Stats().Ignored > before })
	}
	before := one.Stats().Ignored
	require.NoError(t, thief.Publish(t.Context(), one.where().mail(one.instance), message.Payload).Err())
	one.eventually("a call for another hub is ignored", func() bool { return one.Stats().Ignored > before })
	require.NoError(t, one.Call(t.Context(), "b", &agentpb.GetVersionInfoRequest{}, &agentpb.VersionInfo{}))
	assert.Equal(t, connections+1, b.manager.Status().Connections)
}

// A thief of messages knows the ID of a call, and has the answers to others. None of them is taken for the answer.
func TestAnAnswerCountsOnlyForTheCallThatItWasWrittenFor(t *testing.T) {
	server := startServer(t)
	toRedis := newLine(t, server.addr())
	long := func(o *Options) { o.Expiry = time.Minute } // so that the hub is not missed
	one, two := startHub(t, server.url(), "hub-1", long), startHub(t, "redis://"+toRedis.addr(), "hub-2", long)
	startRelay(t, two.addr, "b")
	one.shows("b", two)
	thief, ours := server.client(t), one.where()
	heard := thief.Subscribe(t.Context(), ours.mail(two.instance))
	defer heard.Close()
	_, err := heard.Receive(t.Context())
	require.NoError(t, err)
	toRedis.cut() // the hub that is asked never answers
	var info agentpb.VersionInfo
	called := make(chan error, 1)
	go func() { called <- one.Call(t.Context(), "b", &agentpb.GetVersionInfoRequest{}, &info) }()
	message, err := heard.ReceiveMessage(t.Context())
	require.NoError(t, err)
	var c call
	require.NoError(t, json.Unmarshal([]byte(message.Payload[headerSize:]), &c))

	answer := func(id, version string) reply {
		encoded, err := proto.Marshal(&agentpb.VersionInfo{Version: version})
		require.NoError(t, err)
		return reply{ID: id, Response: encoded}
	}
	send := func(s secret, k kind, place string, r reply) {
		sealed, err := s.seal(k, place, r)
		require.NoError(t, err)
		require.NoError(t, thief.Publish(t.Context(), ours.mail(one.instance), sealed).Err())
	}
	send(ours.secret, kindReply, one.instance, answer("another call", "to another call")) // is of no use, and not counted
	for name, bad := range map[string]func(){
		"by somebody with another key": func() { send(testSecret(t, "rel-of-another-fleet"), kindReply, one.instance, answer(c.ID, "forged")) },
		"to another hub":               func() { send(ours.secret, kindReply, two.instance, answer(c.ID, "to another hub")) },
		"no answer":                    func() { send(ours.secret, kindCall, one.instance, answer(c.ID, "no answer")) },
	} {
		before := one.Stats().Ignored
		bad()
		one.eventually(name, func() bool { return one.Stats().Ignored > before })
	}
	send(ours.secret, kindReply, one.instance, answer(c.ID, "the answer"))
	send(ours.secret, kindReply, one.instance, answer(c.ID, "the answer, once more"))
	require.NoError(t, <-called)
	assert.Equal(t, "the answer", info.Version)
}

func TestANameIsTakenByTheRulesAtAllHubs(t *testing.T) {
	url := startServer(t).url()
	one, two := startHub(t, url, "hub-1"), startHub(t, url, "hub-2")
	first := startRelay(t, one.addr, "a")
	two.shows("a", one)
	second, thief := startRelay(t, two.addr, "a"), startRelay(t, two.addr, "a", otherKey)
	assert.Never(t, func() bool { return second.agent.Connected() || thief.agent.Connected() }, time.Second, 10*time.Millisecond,
		"the first answers, and has another key")
	assert.Equal(t, first.manager.Instance(), two.find("a").Instance)
	first.stop()
	two.eventually("the second gets it", func() bool { return two.find("a").Instance == second.manager.Instance() && second.agent.Connected() })
	second.stop()
	assert.Never(t, func() bool { return thief.agent.Connected() }, 500*time.Millisecond, 10*time.Millisecond, "the name has a key")
	one.eventually("absent", func() bool { return !one.find("a").Connected })
	require.NoError(t, one.Forget("a"))
	two.eventually("a forgotten name is free", func() bool { return two.find("a").Key == "second" })
}

// Without Redis each hub has let in a relay of that name.
func TestOfTwoRelaysOfOneNameOneStays(t *testing.T) {
	server := startServer(t)
	one, two := startHub(t, server.url(), "hub-1"), startHub(t, server.url(), "hub-2")
	one.complete()
	server.kill(t)
	one.says("has failed")
	two.says("has failed")
	a, b := startRelay(t, one.addr, "a"), startRelay(t, two.addr, "a")
	one.eventually("both are connected", func() bool { return a.agent.Connected() && b.agent.Connected() })
	server.run(t)
	one.complete()
	two.complete()
	one.eventually("one of them", func() bool { return a.agent.Connected() != b.agent.Connected() && one.find("a").Connected })
	winner := one.find("a").Instance
	two.eventually("the same everywhere", func() bool { return two.find("a").Instance == winner && two.find("a").Connected })
}
