package wsmux_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/relayconf/relayconf/link/wsmux"
)

// A relay behind NAT dials the hub, and then the hub calls the relay.
func Example() {
	upgrader := websocket.Upgrader{}
	called := make(chan struct{})
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // it has answered
		}
		relay, session, err := wsmux.DialGRPC(ws) // the WebSocket was accepted; gRPC is dialled over it
		if err != nil {
			log.Print(err)
			return
		}
		defer func() { _ = session.Close() }() // ends everything, on both sides
		answer, err := grpc_health_v1.NewHealthClient(relay).Check(r.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println("the relay is", answer.GetStatus())
		close(called)
	}))
	defer hub.Close()

	ws, _, err := websocket.DefaultDialer.Dial(strings.Replace(hub.URL, "http", "ws", 1), nil)
	if err != nil {
		log.Fatal(err)
	}
	server, session, err := wsmux.ServeGRPC(ws, func(server *grpc.Server) {
		grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	})
	if err != nil {
		log.Fatal(err)
	}
	<-called
	<-session.CloseChan() // the hub has closed it; a relay dials again
	server.Stop()         // has nothing left to do
	fmt.Println("the session has ended")
	// Output:
	// the relay is SERVING
	// the session has ended
}

// A protocol of lines over a WebSocket: neither side sees messages.
func ExampleWrapConn() {
	upgrader := websocket.Upgrader{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		conn := wsmux.WrapConn(ws)
		defer func() { _ = conn.Close() }()
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			_, _ = fmt.Fprintf(conn, "you said %s\n", lines.Text())
		}
	}))
	defer server.Close()

	ws, _, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		log.Fatal(err)
	}
	conn := wsmux.WrapConn(ws)
	_, _ = fmt.Fprint(conn, "hel") // a line in two messages
	_, _ = fmt.Fprint(conn, "lo\n")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(answer)
	fmt.Println(err, conn.Close())
	// Output:
	// you said hello
	// <nil> <nil>
}

// Beside gRPC, the session carries streams of any protocol. gRPC's server opens them, and its client accepts them.
func ExampleServeGRPC() {
	dialled, accepted := connectedWebSockets()
	server, opener, err := wsmux.ServeGRPC(dialled, func(server *grpc.Server) {
		grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Stop()
	client, accepter, err := wsmux.DialGRPC(accepted)
	if err != nil {
		log.Fatal(err)
	}
	_, err = grpc_health_v1.NewHealthClient(client).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println("gRPC:", err)

	stream, err := opener.Open()
	if err != nil {
		log.Fatal(err)
	}
	_, _ = fmt.Fprintln(stream, "not gRPC")
	other, err := accepter.Accept()
	if err != nil {
		log.Fatal(err)
	}
	line, _ := bufio.NewReader(other).ReadString('\n')
	fmt.Print(line)
	// Output:
	// gRPC: <nil>
	// not gRPC
}

// connectedWebSockets returns both ends of one.
func connectedWebSockets() (dialled, accepted *websocket.Conn) {
	upgrader := websocket.Upgrader{}
	conns := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			log.Fatal(err)
		}
		conns <- ws
	}))
	defer server.Close() // does not end a WebSocket
	dialled, _, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		log.Fatal(err)
	}
	return dialled, <-conns
}
