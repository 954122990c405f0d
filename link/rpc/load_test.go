package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// attach is a transport within the process: it joins a client that offers the functions of the registry, until leave is
// called, which waits for the handlers, or until it is replaced.
func attach(clients *Clients, name string, registry *HandlerRegistry) (leave func()) {
	commands, responses := clients.Join(name, 1)
	dispatcher := registry.StartDispatcher()
	leaving := make(chan struct{})
	var active sync.WaitGroup
	active.Go(func() {
		defer dispatcher.Stop()
		for {
			select {
			case command, open := <-commands:
				if !open {
					return
				}
				dispatcher.ProcessCommand(command)
			case <-leaving:
				return
			}
		}
	})
	active.Go(func() {
		defer close(responses)
		for response := range dispatcher.Chan() {
			responses <- response
		}
	})
	return func() {
		close(leaving)
		active.Wait()
	}
}

// TestRandomHistories joins, leaves, calls and cancels at random from many goroutines: each call returns, with its own
// answer or with an error that it can have. The race detector and goleak look on.
func TestRandomHistories(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	registry := registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		switch rand.IntN(20) {
		case 0:
			return untilCancelled(ctx, req)
		case 1:
			panic("broken")
		case 2:
			return nil, status.Error(codes.NotFound, "no")
		default:
			return req, nil
		}
	})
	allowed := map[codes.Code]bool{codes.OK: true, codes.Unavailable: true, codes.NotFound: true, codes.Internal: true,
		codes.Canceled: true, codes.DeadlineExceeded: true, codes.ResourceExhausted: true}
	clients := NewClients()
	_, stuck := clients.Join("stuck", 1) // never reads
	defer close(stuck)
	var active sync.WaitGroup
	for range 4 {
		active.Go(func() {
			for range rounds {
				leave := attach(clients, clientName(rand.IntN(3)), registry)
				runtime.Gosched()
				leave()
			}
		})
	}
	for caller := range 8 {
		active.Go(func() {
			for round := range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(1000))*time.Microsecond)
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(100))*time.Microsecond, cancel)
				}
				request := wrapperspb.String(fmt.Sprint(caller, round))
				if rand.IntN(10) == 0 {
					results, err := CallAll[wrapperspb.StringValue](ctx, clients, request)
					assert.NoError(t, err)
					for _, result := range results {
						assert.True(t, allowed[status.Code(result.Err)], "%v", result.Err)
						assert.True(t, result.Err != nil || result.Success.GetValue() == request.GetValue())
					}
				} else {
					name := [...]string{clientName(0), clientName(1), clientName(2), "stuck"}[rand.IntN(4)]
					got, err := Call[wrapperspb.StringValue](ctx, clients, name, request)
					assert.True(t, allowed[status.Code(err)], "%v", err)
					assert.True(t, err != nil || got.GetValue() == request.GetValue(), "the answer is to another request")
				}
				cancel()
			}
		})
	}
	active.Wait()
}

func heapAfterGC() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // frees the pool entries that the first one has kept as victims
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestAMillionCallsLeakNothing makes calls that are answered, that fail, that are given up before they are read and
// after that, and to a client that never reads. The heap is as before; goleak looks at the goroutines.
func TestAMillionCallsLeakNothing(t *testing.T) {
	calls := 1_000_000
	if testing.Short() {
		calls = 50_000
	}
	registry := registryOf(t, func(ctx context.Context, req *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		switch req.GetValue() {
		case "cancelled":
			return untilCancelled(ctx, req)
		case "fails":
			return nil, errBroken
		default:
			return req, nil
		}
	})
	clients := NewClients()
	_, stuck := clients.Join("stuck", 1)
	defer close(stuck)
	leave := attach(clients, "a", registry)
	defer func() { leave() }()

	answered, fails, cancelled := text("answered"), text("fails"), text("cancelled")
	one := func(i int) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		switch i % 100 {
		case 0: // given up after it was read, most likely
			time.AfterFunc(50*time.Microsecond, cancel)
			_, err := clients.Call(ctx, "a", cancelled)
			return expect(err, context.Canceled)
		case 1: // never read
			time.AfterFunc(50*time.Microsecond, cancel)
			_, err := clients.Call(ctx, "stuck", answered)
			return expect(err, context.Canceled)
		case 2:
			if _, err := clients.Call(ctx, "a", fails); status.Code(err) != codes.Unknown {
				return fmt.Errorf("a handler's error came as %w", err)
			}
			return nil
		case 3:
			_, err := clients.Call(ctx, "nobody", answered)
			return expect(err, ErrNotConnected)
		default:
			_, err := clients.Call(ctx, "a", answered)
			return err
		}
	}
	run := func(from, to int) {
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for i := from + caller; i < to; i += 8 {
					if err := one(i / 8); err != nil {
						assert.NoError(t, err)
						return
					}
				}
			})
		}
		callers.Wait()
		leave()
		leave = attach(clients, "a", registry)
	}
	run(0, calls/10) // pools, maps and stacks reach their size
	before := heapAfterGC()
	run(calls/10, calls)
	after := heapAfterGC()
	// Half a byte for each call: a leak of a call is many times that.
	assert.Less(t, int64(after)-int64(before), int64(calls/2)+100_000)
	stuckConn := clients.find("stuck")
	assert.Empty(t, stuckConn.calls)
	assert.Zero(t, stuckConn.queue.Len())
}

func expect(err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("%w instead of: %w", err, target)
	}
	return nil
}

// TestAThousandClientsOverGRPC has 1,000 streams, one of which never answers.
func TestAThousandClientsOverGRPC(t *testing.T) {
	count := 1000
	if testing.Short() {
		count = 200
	}
	g := serve(t)
	conn := g.dial(t)
	var active sync.WaitGroup
	hangs := registryOf(t, untilCancelled)
	for i := range count {
		registry := registryOf(t, shout)
		if i == count/2 {
			registry = hangs
		}
		client := NewStreamClient(clientName(i), registry, conn)
		client.Start()
		defer active.Go(client.Stop)
	}
	defer active.Wait()
	for range count {
		receive(t, g.joined)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	deadline := &manual{Context: ctx, done: make(chan struct{})}
	go func() { // the deadline passes when everybody else has answered
		defer close(deadline.done)
		slow := g.clients.find(clientName(count / 2))
		for others := 1; others > 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
			others = 0
			for _, conn := range g.clients.all() {
				conn.mu.Lock()
				if pending := len(conn.calls); conn != slow && (pending > 0 || conn.nextID == 1) {
					others++
				}
				conn.mu.Unlock()
			}
		}
	}()
	results, err := CallAll[wrapperspb.StringValue](deadline, g.clients, wrapperspb.String("hello"))
	require.NoError(t, err)
	require.Len(t, results, count)
	for i, result := range results {
		require.Equal(t, clientName(i), result.Client)
		if i == count/2 {
			assert.Equal(t, codes.DeadlineExceeded, status.Code(result.Err))
			continue
		}
		require.NoError(t, result.Err)
		require.Equal(t, "HELLO", result.Success.GetValue())
	}
}

// manual is a context whose deadline passes when the test says so.
type manual struct {
	context.Context
	done chan struct{}
}

func (m *manual) Done() <-chan struct{} { return m.done }

func (m *manual) Err() error {
	select {
	case <-m.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
