package fleet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/inlinekeepalive"
	"github.com/relayconf/relayconf/link/keepalive"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// The limits of a link.
const (
	keepAlivePeriod  = 20 * time.Second
	joinTimeout      = 40 * time.Second // from the WebSocket to the name: the Hello, the ping of an older relay, and some
	farewell         = time.Second      // for the status of a refusal to reach the agent
	maxAnswer        = 16 << 20         // bytes of a message from a relay
	maxStreams       = 4                // of yamux: the agent's for gRPC, the hub's for keep-alives, and spare ones
	maxOpens         = 1                // streams and pings per second
	maxBytes         = 1 << 20          // per second
	maxCalls         = 4                // of gRPC: Connect, Report, and GetVersionInfo for each of them
	maxHeader        = 16 << 10         // bytes of the metadata of a call
	window           = 256 << 10        // unread bytes of a stream; as yamux has it
	bufferSize       = 4 << 10
	handshakeTimeout = 10 * time.Second
)

// link is one WebSocket of an agent.
type link struct {
	local     *Local
	id        uint64
	grant     *hub.Grant
	address   string
	session   *yamux.Session
	roundTrip atomic.Int64 // nanoseconds; 0 if none is known yet

	calls        atomic.Int64  // that the relay has begun
	tooManyCalls chan struct{} // holds a token once it has begun too many

	named  atomic.Bool   // its relay has asked for a name: a link is for one relay
	joined chan struct{} // closed when the relay has its name
	member *member       // guarded by Local.mu; nil before that
}

// ServeHTTP serves a relay's link, at any path, until it ends.
func (l *Local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !l.enter() {
		refuse(w, http.StatusServiceUnavailable, "this hub is shutting down")
		return
	}
	defer l.serving.Done()
	grant, err := l.hub.Authenticate(config.AutoConfigKey(r.Header.Get("Authorization")))
	switch {
	case errors.Is(err, hub.ErrUnknownKey):
		l.refusals.add(time.Now(), host(r.RemoteAddr), "", r.RemoteAddr, status.Error(codes.Unauthenticated, err.Error()))
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	upgrader := websocket.Upgrader{HandshakeTimeout: handshakeTimeout} // it goes on with the buffers of the HTTP server
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	k := &link{local: l, id: l.lastLink.Add(1), grant: grant, address: r.RemoteAddr, joined: make(chan struct{}),
		tooManyCalls: make(chan struct{}, 1)}
	if err := k.start(ws); err != nil {
		l.logger.Warn("A link could not be started", "address", k.address, "error", err)
		_ = ws.Close()
		return
	}
	k.serve()
}

func refuse(w http.ResponseWriter, code int, reason string) {
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, reason, code)
}

// start makes the stack of the link: the services for the agent, and the stream for the hub's calls.
func (k *link) start(ws *websocket.Conn) (err error) {
	settings := yamux.DefaultConfig()
	settings.AcceptBacklog, settings.LogOutput = maxStreams, io.Discard
	_, k.session, err = wsmux.ServeGRPC(ws, func(server *grpc.Server) {
		rpcpb.RegisterCoordinatorServer(server, k.local.streams)
		agentpb.RegisterPresenceServer(server, presence{link: k})
		inlinekeepalive.RegisterVersionInfo(server, "relayconf hub", k.local.version)
	}, wsmux.WithYamuxConfig(settings),
		wsmux.WithLimits(wsmux.Limits{Streams: maxStreams, OpensPerSecond: maxOpens, BytesPerSecond: maxBytes}),
		wsmux.WithServerOptions(
			grpc.InTapHandle(k.admit),
			grpc.ChainStreamInterceptor(k.intercept, inlinekeepalive.StreamServerInterceptor()),
			grpc.MaxConcurrentStreams(maxCalls), grpc.MaxRecvMsgSize(maxAnswer), grpc.MaxHeaderListSize(maxHeader),
			grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window),
			grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize)))
	return err
}

// admit refuses the calls beyond those that an agent makes, before anything is kept of them. So a link holds maxCalls
// messages of maxAnswer at most.
func (k *link) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	if k.calls.Add(1) > maxCalls {
		select {
		case k.tooManyCalls <- struct{}{}:
		default:
		}
		return nil, errTooManyCalls
	}
	return ctx, nil
}

var errTooManyCalls = status.Errorf(codes.ResourceExhausted, "a link is for %d calls: make another", maxCalls)

// wasHostile says that a link was ended which is no agent's.
func (k *link) wasHostile(reason error) {
	k.local.logger.Warn("A link was ended, because the relay went beyond its limits", "key", k.grant.Name(), "address", k.address, "error", reason)
}

// serve waits for the end of the link, and brings it about: when its key is revoked, when the hub ends, or when the relay
// does not take a name or does not answer.
func (k *link) serve() {
	defer func() { _ = k.session.Close() }()
	alive := k.askWhetherAlive()
	joining := time.NewTimer(joinTimeout)
	defer joining.Stop()
	joined := k.joined
	for {
		select {
		case <-joined:
			joining.Stop()
			joined = nil
		case <-joining.C:
			return
		case <-alive:
			return
		case <-k.grant.Revoked():
			return
		case <-k.local.closing.Done():
			return
		case <-k.session.CloseChan():
			if reason := wsmux.Reason(k.session); errors.Is(reason, wsmux.ErrLimit) {
				k.wasHostile(reason)
			}
			return
		case <-k.tooManyCalls:
			k.wasHostile(errTooManyCalls)
			return
		}
	}
}

// askWhetherAlive asks the relay in a stream beside gRPC, and measures how long the answers take. The channel is closed when
// it does not answer any more.
func (k *link) askWhetherAlive() <-chan struct{} {
	stream, err := k.session.Open()
	if err != nil {
		return k.session.CloseChan()
	}
	settings := keepalive.NewConfig(keepalive.WithPeriod(keepAlivePeriod),
		keepalive.WithKeepAliveResponseFunc(func(c keepalive.CallbackContext, _ uint16) error {
			k.roundTrip.Store(int64(c.RoundTrip))
			return nil
		}))
	client := keepalive.NewClient(stream, &settings)
	client.Start()
	return client.Done()
}

type linkKey struct{}

// linkedStream has the link in its context.
type linkedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s linkedStream) Context() context.Context { return s.ctx }

// intercept gives each stream its link, and ends the link soon after the stream that it is for.
func (k *link) intercept(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	err := handler(service, linkedStream{stream, context.WithValue(stream.Context(), linkKey{}, k)})
	if info.FullMethod == rpcpb.Coordinator_Connect_FullMethodName {
		time.AfterFunc(farewell, func() { _ = k.session.Close() })
	}
	return err
}

// introduction reads who the relay is.
func introduction(ctx context.Context) (*agentpb.Introduction, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get(agent.IntroductionKey)
	in := &agentpb.Introduction{}
	if len(values) != 1 || proto.Unmarshal([]byte(values[0]), in) != nil {
		return nil, status.Error(codes.InvalidArgument, "the relay does not introduce itself: it needs an agent of package link/agent")
	}
	if len(in.Instance) < 16 || len(in.Instance) > 64 || !isPlain(in.Instance) {
		return nil, status.Error(codes.InvalidArgument, "the instance of the relay must be 16 to 64 plain characters")
	}
	in.Version = shortened(in.Version, 80)
	return in, nil
}

// presence is the service that agents report to.
type presence struct {
	agentpb.UnimplementedPresenceServer
	link *link
}

// reportPause is the shortest time between two reports of a relay; it has to wait to send more.
const reportPause = 10 * time.Millisecond

// Report takes the reports of a relay. gRPC calls it.
func (p presence) Report(stream grpc.ClientStreamingServer[agentpb.ReportRequest, agentpb.ReportResponse]) error {
	select {
	case <-p.link.joined:
	case <-stream.Context().Done():
		return status.FromContextError(stream.Context().Err()).Err()
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		report, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&agentpb.ReportResponse{})
		}
		if err != nil {
			return err
		}
		if err := checkReport(report); err != nil {
			return err
		}
		p.link.local.reported(p.link, report)
		select {
		case <-pause.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		pause.Reset(reportPause)
	}
}
