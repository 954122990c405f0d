package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"google.golang.org/grpc"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/link/agent"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// A relay keeps a link to a hub, and the hub asks it how it is doing. relayconf serve is such a hub, and more.
func Example() {
	joined := make(chan string, 1)
	clients := rpc.NewClients(rpc.WithJoinFunc(func(name string) { joined <- name }))
	streams := rpc.NewStreamServer(clients)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := new(websocket.Upgrader).Upgrade(w, r, nil) // a real hub checks the key in Authorization first
		if err != nil {
			return
		}
		_, session, err := wsmux.ServeGRPC(ws, func(server *grpc.Server) { rpcpb.RegisterCoordinatorServer(server, streams) })
		if err != nil {
			_ = ws.Close()
			return
		}
		<-session.CloseChan()
	}))
	defer hub.Close()

	// The relay. Its manager is not started here, since this hub has no stream for it.
	manager := autoconfig.NewStreamManager("rel-example", hub.URL, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{}, time.Second,
		ldlog.NewDisabledLoggers())
	defer manager.Close()
	link, err := agent.New(manager, hub.URL, agent.WithName("relay-7"), agent.WithVersion("my-relay 1.2"))
	if err != nil {
		fmt.Println(err)
		return
	}
	link.Start()
	defer link.Close()

	// The hub calls it.
	name := <-joined
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	info, err := rpc.Call[agentpb.VersionInfo](ctx, clients, name, &agentpb.GetVersionInfoRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	current, err := rpc.Call[agentpb.GetStatusResponse](ctx, clients, name, &agentpb.GetStatusRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s runs %s; its stream is %s\n", name, info.Version, current.Status.State)
	// Output: relay-7 runs my-relay 1.2; its stream is INITIALIZING
}
