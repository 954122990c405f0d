package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/inlinekeepalive"
	"github.com/relayconf/relayconf/link/keepalive"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// IntroductionKey is the metadata of Coordinator.Connect that has an encoded agentpb.Introduction.
const IntroductionKey = "relayconf-introduction-bin"

// The limits of a link. A call of the hub is small.
const (
	handshakeTimeout = 30 * time.Second
	maxRequest       = 1 << 20
	bufferSize       = 4 << 10
)

// dialer makes a new link for each stream that the rpc.StreamClient asks for: one that has ended does not come back.
type dialer struct{ agent *Agent }

// Connect implements rpcpb.CoordinatorClient.
func (d dialer) Connect(ctx context.Context, options ...grpc.CallOption) (rpcpb.Coordinator_ConnectClient, error) {
	a := d.agent
	introduction, err := proto.Marshal(&agentpb.Introduction{
		Instance: a.instance, Version: a.version, ProtocolVersion: int32(a.manager.ProtocolVersion()),
	})
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "agent: the introduction can't be encoded: %v", err)
	}
	ws, err := a.dial(ctx)
	if err != nil {
		return nil, err
	}
	conn, session, err := wsmux.DialGRPC(ws, wsmux.WithDialOptions(
		grpc.WithStreamInterceptor(inlinekeepalive.StreamClientInterceptor()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxRequest), grpc.MaxCallSendMsgSize(wsmux.MaxMsgSize)),
		grpc.WithReadBufferSize(bufferSize), grpc.WithWriteBufferSize(bufferSize)))
	if err != nil {
		_ = ws.Close()
		return nil, status.Errorf(codes.Unavailable, "agent: the link could not be made: %v", err)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, IntroductionKey, string(introduction))
	stream, err := rpcpb.NewCoordinatorClient(conn).Connect(ctx, options...)
	if err != nil {
		_ = session.Close()
		return nil, err
	}
	context.AfterFunc(stream.Context(), func() { _ = session.Close() })
	a.links.Go(func() { answer(session) })
	a.links.Go(func() {
		if err := a.report(stream.Context(), agentpb.NewPresenceClient(conn)); status.Code(err) != codes.Unimplemented {
			_ = session.Close()
		}
	})
	return stream, nil
}

// dial opens the WebSocket.
func (a *Agent) dial(ctx context.Context) (*websocket.Conn, error) {
	transport := a.transport.Clone()
	tls := transport.TLSClientConfig
	if tls != nil {
		tls.NextProtos = []string{"http/1.1"} // HTTP/2 has no upgrades
	}
	websockets := websocket.Dialer{
		NetDialContext:   transport.DialContext,
		TLSClientConfig:  tls,
		HandshakeTimeout: handshakeTimeout,
	}
	if err := useProxy(&websockets, transport, a.url); err != nil {
		return nil, status.Errorf(codes.Unavailable, "agent: the proxy for the link can't be found out: %v", err)
	}
	header := http.Header{
		"Authorization": {a.manager.Key().GetAuthorizationHeaderValue()},
		"User-Agent":    {"relayconf-agent"},
	}
	ws, response, err := websockets.DialContext(ctx, a.url, header)
	if err != nil {
		return nil, dialError(response, err)
	}
	return ws, nil
}

// dialError tells refusals that last from those that pass.
func dialError(response *http.Response, err error) error {
	if response == nil {
		return status.Errorf(codes.Unavailable, "agent: the hub can't be reached: %v", err)
	}
	const shown = 200
	text, _ := io.ReadAll(io.LimitReader(response.Body, shown)) // a refusal is one line
	reason := fmt.Sprintf("HTTP status %d: %q", response.StatusCode, strings.TrimSpace(string(text)))
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return status.Errorf(codes.Unauthenticated, "agent: the hub refuses the key: %s", reason)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return status.Errorf(codes.Unimplemented, "agent: there is no link at this address; it should be like ws://hub:8030/link: %s", reason)
	default:
		return status.Errorf(codes.Unavailable, "agent: the hub does not accept the link: %s", reason)
	}
}

// answer answers the hub's keepalives, in the stream that the hub opens for them. When they stop, the link is dead.
func answer(session *yamux.Session) {
	for {
		stream, err := session.Accept()
		if err != nil {
			return // the session has ended
		}
		server := keepalive.NewServer(stream, nil)
		server.Start()
		<-server.Done() // one conversation at a time: the hub needs no more
		_ = session.Close()
	}
}
