//go:build linux && servers

package wsmux_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/internal/between"
	"github.com/relayconf/relayconf/link/wsmux"
)

// eachProxy runs a test over a WebSocket through nginx and through HAProxy, each with and without TLS. gRPC's client is the end
// that dialled, or the end that accepted, as a hub's is.
func eachProxy(t *testing.T, test func(t *testing.T, client, server *websocket.Conn)) {
	for name, program := range between.Programs {
		for scheme, withTLS := range map[string]bool{"ws": false, "wss": true} {
			for end, clientDials := range map[string]bool{"the client dials": true, "the server dials": false} {
				t.Run(name+" "+scheme+" "+end, func(t *testing.T) {
					t.Parallel()
					dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: between.Roots()}}
					near, far := socketsThrough(t, websocket.Upgrader{}, dialer, func(url string) string {
						proxy := program.Run(t, strings.TrimPrefix(url, "http://"), withTLS)
						return map[bool]string{false: "http://", true: "https://"}[withTLS] + proxy.Address
					})
					if !clientDials {
						near, far = far, near
					}
					test(t, near, far)
				})
			}
		}
	}
}

// withPings has yamux ping far more often than the proxies cut an idle line.
func withPings() wsmux.Option {
	config := yamux.DefaultConfig()
	config.LogOutput, config.KeepAliveInterval = io.Discard, between.Idle/20
	return wsmux.WithYamuxConfig(config)
}

func TestThroughAProxy(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, client, server *websocket.Conn) {
		s := stackOver(t, client, server, withPings()) // on a slow machine the line could be idle for too long
		s.echo(t, "small")
		s.echo(t, string(make([]byte, 8<<20)))
		duplex, err := s.rpc.FullDuplexCall(testContext(t))
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, duplex.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: make([]byte, 10_000)}}))
			_, err = duplex.Recv()
			require.NoError(t, err)
		}
		require.NoError(t, duplex.CloseSend())
		_, err = duplex.Recv()
		require.Equal(t, io.EOF, err)
		s.server.GracefulStop()
		assertAllDown(t, s)
	})
}

func TestACloseFrameComesThroughAProxy(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, client, server *websocket.Conn) {
		near, far := wrap(t, client), wrap(t, server)
		_, err := io.WriteString(near, "last words")
		require.NoError(t, err)
		closed := inBackground(near.Close)
		assert.Equal(t, "last words", readFull(t, far, 10))
		assert.Equal(t, io.EOF, readToTheEnd(far))
		require.NoError(t, get(t, closed))
	})
}

func TestPingsOfYamuxKeepAnIdleLineUp(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, client, server *websocket.Conn) {
		s := stackOver(t, client, server, withPings())
		ends := s.inFlight(t)
		select {
		case err := <-ends:
			t.Fatal("a call ended: ", err)
		case <-time.After(3 * between.Idle):
		}
		s.echo(t, "still up")
	})
}

func TestWithoutPingsAnIdleLineIsCutAndBothEndsLearnOfIt(t *testing.T) {
	t.Parallel()
	eachProxy(t, func(t *testing.T, client, server *websocket.Conn) {
		config := yamux.DefaultConfig()
		config.LogOutput, config.EnableKeepAlive = io.Discard, false
		s := stackOver(t, client, server, wsmux.WithYamuxConfig(config))
		ends := s.inFlight(t)
		for range cap(ends) {
			err := get(t, ends)
			assert.Equal(t, codes.Unavailable, status.Code(err), err)
		}
		assertAllDown(t, s)
	})
}
