package wsmux_test

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/relayconf/relayconf/link/wsmux"
)

// serveLimited serves gRPC with limits, and returns the connection of a client that may be hostile.
func serveLimited(t *testing.T, limits wsmux.Limits) (client net.Conn, session *yamux.Session) {
	t.Helper()
	dialled, accepted := sockets(t)
	server, session, err := wsmux.ServeGRPC(accepted, func(server *grpc.Server) {
		pb.RegisterTestServiceServer(server, &service{})
	}, wsmux.WithLimits(limits))
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return wrap(t, dialled), session
}

// frame is a frame of yamux without payload.
func frame(kind byte, flags uint16, stream uint32) []byte {
	b := make([]byte, 12)
	b[1] = kind
	binary.BigEndian.PutUint16(b[2:], flags)
	binary.BigEndian.PutUint32(b[4:], stream)
	return b
}

// endsBy waits until a session has ended, and checks that the limits were the reason.
func endsBy(t *testing.T, session *yamux.Session, reason string) {
	t.Helper()
	select {
	case <-session.CloseChan():
	case <-time.After(soon):
		t.Fatal("the session goes on")
	}
	assert.ErrorIs(t, wsmux.Reason(session), wsmux.ErrLimit)
	assert.ErrorContains(t, wsmux.Reason(session), reason)
}

func TestASideThatOpensThousandsOfStreamsIsEnded(t *testing.T) {
	const windowUpdate, syn = 1, 1
	before := runtime.NumGoroutine()
	client, session := serveLimited(t, wsmux.Limits{Streams: 4, OpensPerSecond: 1})
	var flood []byte
	for i := range uint32(10_000) {
		flood = append(flood, frame(windowUpdate, syn, 2*i+1)...)
	}
	go func() { _, _ = client.Write(flood) }() // it ends with the connection
	endsBy(t, session, "")
	assert.LessOrEqual(t, session.NumStreams(), 16)
	eventually(t, func() bool { return runtime.NumGoroutine() < before+30 }, "no goroutines for each stream")
}

func TestOneStreamTooManyEndsTheSession(t *testing.T) {
	client, session := serveLimited(t, wsmux.Limits{Streams: 4})
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	other, err := yamux.Client(client, config)
	require.NoError(t, err)
	defer other.Close()
	assert.NoError(t, wsmux.Reason(session))
	for n := range 4 {
		_, err := other.Open()
		require.NoError(t, err)
		eventually(t, func() bool { return session.NumStreams() == n+1 }, "open")
	}
	_, _ = other.Open() // the session may have ended before it returns
	endsBy(t, session, "more than 4 streams")
}

func TestStreamsTooManyInOneMessageEndTheSession(t *testing.T) {
	const windowUpdate, syn = 1, 1
	for name, row := range map[string]struct {
		streams uint32
		ends    bool
	}{"as many as may be": {4, false}, "one more": {5, true}} {
		t.Run(name, func(t *testing.T) {
			client, session := serveLimited(t, wsmux.Limits{Streams: 4})
			var message []byte
			for i := range row.streams {
				message = append(message, frame(windowUpdate, syn, 2*i+1)...)
			}
			_, err := client.Write(message)
			require.NoError(t, err)
			if row.ends {
				endsBy(t, session, "more than 4 streams")
				return
			}
			eventually(t, func() bool { return session.NumStreams() == 4 }, "open")
			assert.NoError(t, wsmux.Reason(session))
		})
	}
}

// A ping takes a goroutine of the other side until the answer is written, so pings are bounded, too.
func TestASideThatFloodsWithPingsIsEnded(t *testing.T) {
	const ping, syn = 2, 1
	client, session := serveLimited(t, wsmux.Limits{OpensPerSecond: 10})
	go func() {
		for { // until the connection has ended
			if _, err := client.Write(frame(ping, syn, 0)); err != nil {
				return
			}
		}
	}()
	endsBy(t, session, "pings at more than 10 a second")
}

func TestASideThatSendsTooFastHasToWait(t *testing.T) {
	const perSecond = 64 << 10
	s := newStack(t, wsmux.WithLimits(wsmux.Limits{BytesPerSecond: perSecond}))
	start := time.Now()
	s.echo(t, string(make([]byte, 16*perSecond)))
	s.echo(t, string(make([]byte, perSecond/2)))
	assert.GreaterOrEqual(t, time.Since(start), 500*time.Millisecond)
	s.echo(t, "it goes on")
}

func TestLimitsLetAllElseThrough(t *testing.T) {
	s := newStack(t, wsmux.WithLimits(wsmux.Limits{Streams: 1, OpensPerSecond: 1, BytesPerSecond: 64 << 20}))
	for _, size := range []int{0, 1, 1 << 10, 1 << 20, 1<<20 + 1} {
		for range 50 {
			s.echo(t, string(make([]byte, size/50)))
		}
	}
	s.echo(t, string(make([]byte, 8<<20)))
}

func TestLimitsMayBeAsLargeAsAnInt(t *testing.T) {
	s := newStack(t, wsmux.WithLimits(wsmux.Limits{Streams: math.MaxInt, OpensPerSecond: math.MaxInt, BytesPerSecond: math.MaxInt}))
	s.echo(t, "as ever")
}

func TestWithoutLimitsEverythingIsAllowed(t *testing.T) {
	s := newStack(t)
	for range 100 {
		_, err := s.serverSession.Ping()
		require.NoError(t, err)
	}
	s.echo(t, "as ever")
}
