package fleet

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/link/agent"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// dialLink opens the WebSocket of a link, with the key that the hub has.
func (r *rig) dialLink() *websocket.Conn {
	r.t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(r.t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/link", http.Header{"Authorization": {testKey}})
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// join makes a link and takes a name over it, as an agent does.
func (r *rig) join(name, instance string) (agentpb.PresenceClient, rpcpb.Coordinator_ConnectClient, *yamux.Session) {
	r.t.Helper()
	conn, session, err := wsmux.DialGRPC(r.dialLink())
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = session.Close() })
	introduction, err := proto.Marshal(&agentpb.Introduction{Instance: instance, ProtocolVersion: 2})
	require.NoError(r.t, err)
	stream, err := rpcpb.NewCoordinatorClient(conn).Connect(metadata.AppendToOutgoingContext(r.t.Context(), agent.IntroductionKey, string(introduction)))
	require.NoError(r.t, err)
	require.NoError(r.t, stream.Send(&rpcpb.ClientToServer{Message: &rpcpb.ClientToServer_Hello{Hello: &rpcpb.Hello{Name: name}}}))
	return agentpb.NewPresenceClient(conn), stream, session
}

func TestARelayThatOpensThousandsOfStreamsHarmsNobodyElse(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	good := r.relay("good")
	r.inSync("good")
	link, before := r.find("good").Epoch, memory()
	const links, streams = 20, 5000
	for range links {
		config := yamux.DefaultConfig()
		config.LogOutput, config.AcceptBacklog = io.Discard, streams
		session, err := yamux.Client(wsmux.WrapConn(r.dialLink()), config)
		require.NoError(t, err)
		patience := time.AfterFunc(soon, func() { _ = session.Close() })
		for range streams {
			stream, err := session.OpenStream()
			if err != nil {
				break // the link was ended
			}
			_, _ = stream.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) // gRPC waits for more
		}
		r.eventually("the link is ended", session.IsClosed)
		require.True(t, patience.Stop(), "by the hub")
		_ = session.Close()
	}
	r.eventually("all is given back", func() bool { return memory() < before+8<<20 })
	r.patch("web-1", 2)
	r.eventually("it follows", func() bool { v, _ := good.manager.AppliedVersions(); return v["web-1"] == 2 && r.find("good").InSync() })
	assert.Equal(t, link, r.find("good").Epoch, "its link was never lost")
}

func TestARelayHasOnlyTheCallsOfAnAgent(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("good")
	r.inSync("good")
	conn, session, err := wsmux.DialGRPC(r.dialLink())
	require.NoError(t, err)
	client := agentpb.NewPresenceClient(conn)
	for calls := 0; err == nil && calls < 1_000_000; calls++ { // each of them it gives up
		ctx, cancel := context.WithCancel(t.Context())
		_, err = client.Report(ctx)
		cancel()
	}
	assert.Equal(t, codes.Unavailable, status.Code(err))
	r.eventually("the link is ended", session.IsClosed)
	assert.True(t, r.find("good").InSync())
}

// Other hubs get the status in a record of a bounded size.
func TestOfALargeReportLittleIsKept(t *testing.T) {
	r := newRig(t)
	client, _, _ := r.join("large", "a-process-that-talks")
	reports, err := client.Report(t.Context())
	require.NoError(t, err)
	r.eventually("it has joined", func() bool { return r.find("large").Connected })
	before := memory()
	const size = 3 << 20
	unknown := func() *timestamppb.Timestamp { // with a field that this version does not know
		time := &timestamppb.Timestamp{Seconds: 1}
		time.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 100, protowire.BytesType), make([]byte, size)))
		return time
	}
	require.NoError(t, reports.Send(&agentpb.ReportRequest{AppliedDigest: notTheDigest, Status: &agentpb.Status{
		State: strings.Repeat("x", size), StateSince: unknown(), LastError: &agentpb.Error{Message: strings.Repeat("x", size), Time: unknown()}}}))
	r.eventually("the hub was told", func() bool { return r.find("large").Applied == notTheDigest })
	assert.Less(t, proto.Size(r.find("large").Status), 1000)
	r.eventually("the message is given back", func() bool { return memory() < before+size })
}

// The limits leave room for all that an agent does on one link.
func TestAnAgentStaysWithinTheLimits(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	link := r.find("a").Epoch
	for range 200 {
		var answer agentpb.GetStatusResponse
		require.NoError(t, r.local.Call(t.Context(), "a", &agentpb.GetStatusRequest{}, &answer))
	}
	assert.Equal(t, link, r.find("a").Epoch)
}
