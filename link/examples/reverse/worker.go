package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/inlinekeepalive"
	"github.com/relayconf/relayconf/link/keepalive"
	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

// startWorker connects to a hub, again and again, and answers its calls until it is stopped.
func startWorker(name, url string, report func(event string)) *rpc.StreamClient {
	functions := rpc.NewHandlerRegistry()
	if err := rpc.RegisterFunction(functions, func(_ context.Context, greeting *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		return wrapperspb.String(fmt.Sprintf("%s to you, too", greeting.GetValue())), nil
	}); err != nil {
		panic(err) // only if two functions had the same type of request
	}
	worker := rpc.NewStreamClient(name, functions, dialer{url},
		rpc.WithBackoff(100*time.Millisecond, 5*time.Second),
		rpc.WithConnectFunc(func() { report(name + ": connected") }),
		rpc.WithDisconnectFunc(func(error, time.Duration) { report(name + ": not connected") }))
	worker.Start()
	return worker
}

// dialer makes a new WebSocket for each stream, since a stack that has ended does not come back.
type dialer struct{ url string }

func (d dialer) Connect(ctx context.Context, options ...grpc.CallOption) (grpc.BidiStreamingClient[rpcpb.ClientToServer, rpcpb.ServerToClient], error) {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, d.url, nil)
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "could not reach the hub: %v", err)
	}
	conn, session, err := wsmux.DialGRPC(ws,
		wsmux.WithDialOptions(grpc.WithStreamInterceptor(inlinekeepalive.StreamClientInterceptor())))
	if err != nil {
		_ = ws.Close()
		return nil, err
	}
	go answerThatAlive(session)
	stream, err := rpcpb.NewCoordinatorClient(conn).Connect(ctx, options...)
	if err != nil {
		_ = session.Close()
		return nil, err
	}
	context.AfterFunc(stream.Context(), func() { _ = session.Close() })
	return stream, nil
}

// answerThatAlive accepts the streams that the hub opens beside gRPC.
func answerThatAlive(session *yamux.Session) {
	for {
		stream, err := session.Accept()
		if err != nil {
			return // the session has ended
		}
		keepalive.NewServer(stream, nil).Start() // ends with the stream
	}
}
