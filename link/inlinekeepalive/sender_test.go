package inlinekeepalive

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// stub is the transport below the interceptors: a stream of gRPC that does nothing, or calls the functions of a test.
type stub struct {
	grpc.ClientStream
	send      func(m any) error
	closeSend func() error
}

func (s *stub) Header() (metadata.MD, error) { return metadata.Pairs(MetadataKey, "true"), nil }
func (s *stub) RecvMsg(any) error            { return nil }

func (s *stub) SendMsg(m any) error {
	if s.send == nil {
		return nil
	}
	return s.send(m)
}

func (s *stub) CloseSend() error {
	if s.closeSend == nil {
		return nil
	}
	return s.closeSend()
}

// serverStub is a stub at the server.
type serverStub struct {
	*stub
	ctx context.Context
}

func (s *serverStub) Context() context.Context     { return s.ctx }
func (s *serverStub) SetHeader(metadata.MD) error  { return nil }
func (s *serverStub) SendHeader(metadata.MD) error { return nil }
func (s *serverStub) SetTrailer(metadata.MD)       {}

var bidirectional = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

// open opens a client's stream over a stub, whose server drops keepalives.
func open(t *testing.T, inner *stub, interval time.Duration) (grpc.ClientStream, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := StreamClientInterceptor(WithInterval(interval), WithFeatureCheck((&checks{answers: []error{nil}}).check))(ctx, bidirectional, nil, "/s/m",
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return inner, nil
		})
	require.NoError(t, err)
	return stream, cancel
}

func TestAnErrorOfSendingEndsTheGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var sent atomic.Int32
		open(t, &stub{send: func(any) error {
			sent.Add(1)
			return errors.New("broken")
		}}, time.Second)
		sleep(time.Minute)
		assert.Equal(t, int32(1), sent.Load())
		assert.Zero(t, keepaliveGoroutines())
	})
}

// The two are races of the wait with the application, so they are tested at the place that decides.
func TestAKeepaliveThatIsNotNeededAnyMoreIsNotSent(t *testing.T) {
	fail := &stub{send: func(any) error { t.Error("sent"); return nil }}
	t.Run("a message came first", func(t *testing.T) {
		s := newSender(fail, time.Hour)
		s.sent()
		assert.NoError(t, s.sendKeepalive())
	})
	t.Run("the stream was closed for sending", func(t *testing.T) {
		s := newSender(fail, 0)
		assert.True(t, s.close(nil))
		assert.Equal(t, errClosed, s.sendKeepalive())
	})
}

func TestWhatTheApplicationSendsAndItsErrorsPassThrough(t *testing.T) {
	broken := errors.New("broken")
	var got []any
	stream, _ := open(t, &stub{send: func(m any) error { got = append(got, m); return broken }}, time.Hour)
	assert.Equal(t, broken, stream.SendMsg(7))
	assert.Equal(t, []any{7}, got)
}

func TestNothingIsSentTwiceAtOnce(t *testing.T) {
	var inside, messages, keepalives atomic.Int32
	enter := func() {
		if inside.Add(1) != 1 {
			t.Error("called while another call was under way")
		}
		for range rand.IntN(100) {
			_ = time.Now()
		}
		inside.Add(-1)
	}
	closed := make(chan struct{})
	stream, _ := open(t, &stub{
		send: func(m any) error {
			select {
			case <-closed:
				t.Error("sent after CloseSend")
			default:
			}
			enter()
			if m == any(keepalive) {
				keepalives.Add(1)
			} else {
				messages.Add(1)
			}
			return nil
		},
		closeSend: func() error { enter(); close(closed); return nil },
	}, time.Nanosecond)
	deadline := time.Now().Add(30 * time.Second)
	for messages.Load() < 2000 || keepalives.Load() < 100 {
		require.NoError(t, stream.SendMsg(0))
		require.True(t, time.Now().Before(deadline), "%d keepalives", keepalives.Load())
	}
	require.NoError(t, stream.CloseSend())
	<-closed
}

func TestAMessageThatTakesLongToSendIsNoIdleness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var sent []any
		var mu sync.Mutex
		stream, _ := open(t, &stub{send: func(m any) error {
			mu.Lock()
			sent = append(sent, m)
			mu.Unlock()
			if m == "long" {
				time.Sleep(10 * time.Minute)
			}
			return nil
		}}, 30*time.Second)
		synctest.Wait()
		require.NoError(t, stream.SendMsg("long"))
		require.NoError(t, stream.SendMsg("short"))
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, []any{"long", "short"}, sent)
	})
}

func TestCloseSendDoesNotWaitForAKeepalive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release, closed := make(chan struct{}), make(chan struct{})
		stream, _ := open(t, &stub{
			send:      func(any) error { <-release; return nil }, // the server does not read
			closeSend: func() error { close(closed); return nil },
		}, time.Second)
		sleep(2 * time.Second)
		require.Equal(t, 1, keepaliveGoroutines())
		require.NoError(t, stream.CloseSend())
		select {
		case <-closed:
			t.Error("CloseSend next to SendMsg")
		default:
		}
		close(release)
		<-closed
		synctest.Wait()
		assert.Zero(t, keepaliveGoroutines())
	})
}

func TestAHandlersReturnDoesNotWaitForAKeepalive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(metadata.NewIncomingContext(t.Context(), metadata.Pairs(MetadataKey, "true")))
		inner := &stub{send: func(any) error { <-ctx.Done(); return ctx.Err() }} // the client does not read
		err := StreamServerInterceptor(WithInterval(time.Second))(nil, &serverStub{stub: inner, ctx: ctx},
			&grpc.StreamServerInfo{IsServerStream: true}, func(any, grpc.ServerStream) error {
				sleep(time.Minute)
				require.Equal(t, 1, keepaliveGoroutines())
				return errors.New("had enough")
			})
		require.EqualError(t, err, "had enough")
		cancel() // as gRPC does, once the handler has returned
		synctest.Wait()
		assert.Zero(t, keepaliveGoroutines())
	})
}
