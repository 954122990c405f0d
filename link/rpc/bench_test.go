package rpc

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// unary returns a plain unary gRPC call over loopback TCP: the baseline.
func unary(b *testing.B) func(ctx context.Context) error {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///"+listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	client := grpc_health_v1.NewHealthClient(conn)
	return func(ctx context.Context) error {
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	}
}

// reverse returns a call from the server to its client over loopback TCP.
func reverse(b *testing.B) func(ctx context.Context) error {
	registry := NewHandlerRegistry()
	require.NoError(b, RegisterFunction(registry, echo))
	g := serve(b)
	g.start(b, "a", registry)
	return func(ctx context.Context) error {
		_, err := Call[wrapperspb.StringValue](ctx, g.clients, "a", wrapperspb.String("hello"))
		return err
	}
}

// BenchmarkLatency makes a plain unary call and a reverse call in turn, one after the other, and reports how many times
// the first one's time the second one takes.
func BenchmarkLatency(b *testing.B) {
	plain, back := unary(b), reverse(b)
	ctx := b.Context()
	require.NoError(b, plain(ctx))
	require.NoError(b, back(ctx))
	var plainTime, backTime []time.Duration
	for b.Loop() {
		plainTime = append(plainTime, timeOf(b, plain))
		backTime = append(backTime, timeOf(b, back))
	}
	for name, percent := range map[string]int{"p50": 50, "p99": 99} {
		b.ReportMetric(float64(percentile(backTime, percent))/float64(percentile(plainTime, percent)), name+"-reverse/unary")
	}
}

// BenchmarkThroughput has 100 callers at once make plain unary calls, then reverse calls, and reports the ratio of the
// calls a second.
func BenchmarkThroughput(b *testing.B) {
	plain, back := unary(b), reverse(b)
	var plainTime, backTime time.Duration
	for b.Loop() {
		plainTime += burst(b, plain)
		backTime += burst(b, back)
	}
	const calls = callers * callsEach
	b.ReportMetric(float64(plainTime)/float64(backTime), "reverse/unary-calls/s")
	b.ReportMetric(calls*float64(b.N)/backTime.Seconds(), "reverse-calls/s")
	b.ReportMetric(calls*float64(b.N)/plainTime.Seconds(), "unary-calls/s")
}

// BenchmarkCallAll calls 1,000 clients, each with a stream of its own over one connection, and reports how many times
// that of 1,000 concurrent unary calls its time is.
func BenchmarkCallAll(b *testing.B) {
	const count = 1000
	plain := unary(b)
	g := serve(b)
	conn := g.dial(b)
	registry := NewHandlerRegistry()
	registry.SetMaxHandlers(count)
	require.NoError(b, RegisterFunction(registry, echo))
	for i := range count {
		client := NewStreamClient(clientName(i), registry, conn)
		client.Start()
		b.Cleanup(client.Stop)
	}
	for range count {
		receive(b, g.joined)
	}
	var plainTime, allTime time.Duration
	for b.Loop() {
		began := time.Now()
		var active sync.WaitGroup
		for range count {
			active.Go(func() { _ = plain(b.Context()) })
		}
		active.Wait()
		plainTime += time.Since(began)
		began = time.Now()
		results, err := CallAll[wrapperspb.StringValue](b.Context(), g.clients, wrapperspb.String("hello"))
		allTime += time.Since(began)
		require.NoError(b, err)
		require.False(b, slices.ContainsFunc(results, func(r Result[*wrapperspb.StringValue]) bool { return r.Err != nil }))
	}
	b.ReportMetric(float64(allTime)/float64(plainTime), "callAll/unary")
}

const callers, callsEach = 100, 100

func burst(b *testing.B, call func(context.Context) error) time.Duration {
	began := time.Now()
	var active sync.WaitGroup
	for range callers {
		active.Go(func() {
			for range callsEach {
				if err := call(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	active.Wait()
	return time.Since(began)
}

func timeOf(b *testing.B, call func(context.Context) error) time.Duration {
	began := time.Now()
	require.NoError(b, call(b.Context()))
	return time.Since(began)
}

func percentile(times []time.Duration, percent int) time.Duration {
	slices.Sort(times)
	return times[(len(times)-1)*percent/100]
}
