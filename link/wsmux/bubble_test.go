package wsmux_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/wsmux"
)

// inBubble runs a test in the time of testing/synctest, with a net.Conn at either end in turn, like eachEnd. The connection
// below has no buffer: a write ends when it is read.
func inBubble(t *testing.T, test func(t *testing.T, conn net.Conn, other *websocket.Conn)) {
	for name, wrapsDialled := range map[string]bool{"dialled": true, "accepted": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ws, other := pipeSockets(t)
				if !wrapsDialled {
					ws, other = other, ws
				}
				conn := wsmux.WrapConn(ws)
				test(t, conn, other)
				_ = other.Close()
				_ = conn.Close()
			})
		})
	}
}

// pipeSockets makes both ends of a WebSocket over a net.Pipe.
func pipeSockets(t *testing.T) (dialled, accepted *websocket.Conn) {
	t.Helper()
	client, server := net.Pipe()
	conns := make(chan *websocket.Conn)
	go func() {
		request, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			panic(err)
		}
		upgrader := websocket.Upgrader{}
		conn, err := upgrader.Upgrade(hijacked{server}, request, nil)
		if err != nil {
			panic(err)
		}
		conns <- conn
	}()
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return client, nil }}
	dialled, _, err := dialer.Dial("ws://pipe/", nil)
	require.NoError(t, err)
	return dialled, <-conns
}

// hijacked is the http.ResponseWriter of a connection that becomes a WebSocket.
type hijacked struct{ conn net.Conn }

func (hijacked) Header() http.Header         { return http.Header{} }
func (hijacked) Write(b []byte) (int, error) { return len(b), nil }
func (hijacked) WriteHeader(int)             {}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}
