package wsmux_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"

	"github.com/relayconf/relayconf/link/wsmux"
)

// A clock would tell little on a busy machine. So the line lets 2.5 MiB through for each 50 small calls: room for a window,
// and for the two frames of the big message (16 KiB each) that gRPC may put before each small one. If the calls waited for
// the big message, they would wait for ever.
func TestAThousandSmallCallsDoNotWaitForABigOne(t *testing.T) {
	const size, rounds, atOnce, perRound = 60 << 20, 20, 50, 5 << 19
	tests := map[string]struct {
		big      *pb.SimpleRequest
		way      func(line) *gate // the direction of the big message
		received bool
	}{
		"sent":     {&pb.SimpleRequest{ResponseSize: 1, Payload: &pb.Payload{Body: make([]byte, size)}}, func(l line) *gate { return l.up }, false},
		"received": {&pb.SimpleRequest{ResponseSize: size}, func(l line) *gate { return l.down }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var l line
			dialled, accepted := socketsThrough(t, websocket.Upgrader{}, websocket.Dialer{}, through(t, &l))
			requests, responses := &messages{}, &messages{}
			s := stackOver(t, dialled, accepted, wsmux.WithDialOptions(grpc.WithStatsHandler(requests)),
				wsmux.WithServerOptions(grpc.StatsHandler(responses)))
			s.echo(t, "the stream is there")
			queued := map[bool]*messages{false: requests, true: responses}[test.received]

			way := test.way(l)
			way.limit(perRound)
			big := inBackground(func() error { _, err := s.rpc.UnaryCall(testContext(t), test.big); return err })
			eventually(t, func() bool { return way.remaining() == 0 }, "the big message fills the line")
			for round := range rounds {
				before := queued.sent.Load()
				small := inBackground(func() error { return s.callAtOnce(testContext(t), atOnce) })
				eventually(t, func() bool { return queued.sent.Load() == before+atOnce }, "the small ones wait for the line")
				way.limit(perRound)
				require.NoError(t, get(t, small), "round %d", round)
			}
			require.Empty(t, big, "the big one is still on its way")
			way.open()
			require.NoError(t, get(t, big))
		})
	}
}

// callAtOnce makes n small calls and returns the first error.
func (s *stack) callAtOnce(ctx context.Context, n int) error {
	results := make(chan error, n)
	for range n {
		go func() { _, err := s.rpc.UnaryCall(ctx, simple("small")); results <- err }()
	}
	var first error
	for range n {
		if err := <-results; first == nil {
			first = err
		}
	}
	return first
}

// messages counts those that gRPC has queued to be sent.
type messages struct{ sent atomic.Int64 }

func (m *messages) HandleRPC(_ context.Context, event stats.RPCStats) {
	if payload, ok := event.(*stats.OutPayload); ok && payload.Length < 1000 {
		m.sent.Add(1)
	}
}

func (*messages) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*messages) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*messages) HandleConn(context.Context, stats.ConnStats)                       {}

func TestASlowReaderStopsTheWriterAndNobodyElse(t *testing.T) {
	s := newStack(t)
	stream, err := s.rpc.StreamingOutputCall(testContext(t), &pb.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)

	stalled := awaitStandstill(t, &s.service.sent)
	for range 100 {
		s.echo(t, "another call")
	}
	assert.Less(t, s.service.sent.Load()*64<<10, int64(32<<20), "bytes in the windows of HTTP/2 and of yamux")
	for range stalled {
		_, err = stream.Recv()
		require.NoError(t, err)
	}
	eventually(t, func() bool { return s.service.sent.Load() > stalled }, "the writer goes on with the reader")
}

// awaitStandstill waits until a count has not changed for a while.
func awaitStandstill(t *testing.T, count *atomic.Int64) int64 {
	t.Helper()
	last, same := int64(-1), 0
	eventually(t, func() bool {
		if now := count.Load(); now != last {
			last, same = now, 0
		}
		same++
		return same > 200
	}, "the writer stops")
	return last
}

func TestAStreamThatNobodyReadsHoldsOneWindow(t *testing.T) {
	const window = 256 << 10
	s := newStack(t)
	stream, err := s.serverSession.Open()
	require.NoError(t, err)
	var written atomic.Int64
	go func() {
		for range 2 * window / 1024 {
			n, err := stream.Write(bytes.Repeat([]byte("x"), 1024))
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	eventually(t, func() bool { return written.Load() == window }, "the window is full")
	for range 100 {
		s.echo(t, "gRPC goes on")
	}
	assert.EqualValues(t, window, written.Load())
	other, err := s.clientSession.Accept()
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, other, 2*window)
	require.NoError(t, err)
}

// A net.Conn that nobody reads blocks its writer, too: there is no buffer but the sockets'.
func TestAConnThatNobodyReadsBlocksItsWriter(t *testing.T) {
	dialled, accepted := sockets(t)
	a, b := wrap(t, dialled), wrap(t, accepted)
	var written atomic.Int64
	result := inBackground(func() error { return flood(a, &written) })
	last := awaitStandstill(t, &written)
	_, err := io.CopyN(io.Discard, b, last)
	require.NoError(t, err)
	eventually(t, func() bool { return written.Load() > last }, "and goes on with the reader")
	require.NoError(t, a.SetWriteDeadline(time.Now()))
	require.NoError(t, b.Close())
	require.Error(t, get(t, result))
}

// flood writes until it can't.
func flood(conn net.Conn, written *atomic.Int64) error {
	for {
		n, err := conn.Write(make([]byte, 64<<10))
		written.Add(int64(n))
		if err != nil {
			return err
		}
	}
}
