package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/inlinekeepalive"
	"github.com/relayconf/relayconf/link/keepalive"
	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// hub is an http.Handler that workers connect to, over WebSockets.
type hub struct {
	clients  *rpc.Clients
	streams  *rpc.StreamServer
	upgrader websocket.Upgrader
	closing  context.Context
	close    context.CancelFunc
}

func newHub() *hub {
	clients := rpc.NewClients()
	h := &hub{clients: clients, streams: rpc.NewStreamServer(clients)}
	h.closing, h.close = context.WithCancel(context.Background())
	return h
}

// ServeHTTP serves a worker until its line ends.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	// The worker calls the hub: Coordinator.Connect, a stream that stays open. In it, keepalives that proxies count as messages.
	_, session, err := wsmux.ServeGRPC(ws, func(server *grpc.Server) {
		rpcpb.RegisterCoordinatorServer(server, h.streams)
		inlinekeepalive.RegisterVersionInfo(server, "reverse", "1")
	}, wsmux.WithServerOptions(grpc.StreamInterceptor(inlinekeepalive.StreamServerInterceptor())))
	if err != nil {
		_ = ws.Close()
		return
	}
	defer context.AfterFunc(h.closing, func() { _ = session.Close() })()
	askWhetherAlive(session)
	<-session.CloseChan()
}

// askWhetherAlive asks the worker in a stream beside gRPC, and closes the session when it does not answer.
func askWhetherAlive(session *yamux.Session) {
	stream, err := session.Open()
	if err != nil {
		return // the session has ended
	}
	settings := keepalive.NewConfig(keepalive.WithPeriod(20 * time.Second))
	alive := keepalive.NewClient(stream, &settings)
	alive.Start()
	go func() {
		<-alive.Done()
		_ = session.Close()
	}()
}

// greet calls a worker and returns its answer, or why there is none.
func (h *hub) greet(ctx context.Context, worker, greeting string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := rpc.Call[wrapperspb.StringValue](ctx, h.clients, worker, wrapperspb.String(greeting))
	if err != nil {
		return fmt.Sprintf("hub: %s: %s", worker, status.Code(err))
	}
	return fmt.Sprintf("hub: %s answers: %s", worker, answer.GetValue())
}
