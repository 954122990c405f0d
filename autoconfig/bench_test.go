package autoconfig_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// The benchmarks take the whole path, from the service's write to a real connection to the calls of the handler. Each
// has three sub-benchmarks, so that what counts are ratios within one run: relayconf; baseline, what one would write by
// hand (see benchbaseline_test.go); and wire, the bare read of the same bytes. See docs/performance.md.

// BenchmarkPut is the first put on a new connection of a new client. What it takes to connect is not counted.
func BenchmarkPut(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000, 100_000} {
		put := benchPut(n, 1, nil)
		compare(b, n, len(put), func(b *testing.B, service *benchService, newClient newBenchClient) {
			for b.Loop() {
				b.StopTimer()
				client := newClient(service)
				runtime.GC() // the last round's client is gone
				b.StartTimer()
				client.deliver(put, n+1)
				b.StopTimer()
				client.close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkPutUnchanged is the same put again, which is what each reconnect of a relay costs.
func BenchmarkPutUnchanged(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000, 100_000} {
		put := benchPut(n, 1, nil)
		compare(b, n, len(put), func(b *testing.B, service *benchService, newClient newBenchClient) {
			client := newClient(service)
			defer client.close()
			client.deliver(put, n+1)
			for b.Loop() {
				client.deliver(put, 1)
			}
		})
	}
}

// BenchmarkPutOnePercentChanged is a put in which every hundredth environment has a new version.
func BenchmarkPutOnePercentChanged(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		put := benchPut(n, 1, nil)
		compare(b, n, len(put), func(b *testing.B, service *benchService, newClient newBenchClient) {
			client := newClient(service)
			defer client.close()
			client.deliver(put, n+1)
			version := 1
			for b.Loop() {
				b.StopTimer()
				version++
				changed := benchPut(n, 1, func(i int) int {
					if i%100 == 0 {
						return version
					}
					return 1
				})
				b.StartTimer()
				client.deliver(changed, n/100+1)
			}
		})
	}
}

// patchesInABurst is how many patches come at once. The figures are for one patch.
const patchesInABurst = 10_000

// BenchmarkPatch is a burst of patches on one stream, spread over what is known. One operation is one patch.
func BenchmarkPatch(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		patch := benchPatch(0, 1)
		compare(b, n, len(patch), func(b *testing.B, service *benchService, newClient newBenchClient) {
			client := newClient(service)
			defer client.close()
			client.deliver(benchPut(n, 1, nil), n+1)
			version := 1
			b.ResetTimer()
			for left := b.N; left > 0; left -= patchesInABurst {
				b.StopTimer()
				count := min(left, patchesInABurst)
				burst := make([]byte, 0, count*(len(patch)+8))
				for i := range count {
					if i%n == 0 {
						version++
					}
					burst = append(burst, benchPatch(i*7919%n, version)...) // a prime: every environment gets its turn
				}
				version++
				runtime.GC() // the garbage of making the burst
				b.StartTimer()
				client.deliver(burst, count)
			}
		})
	}
}

// BenchmarkRetained reports the heap that is kept for each environment on a stream that is idle.
func BenchmarkRetained(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		put := benchPut(n, 1, nil)
		compare(b, n, len(put), func(b *testing.B, service *benchService, newClient newBenchClient) {
			var kept float64
			for b.Loop() {
				client := newClient(service)
				before := heapInUse()
				client.deliver(put, n+1)
				client.texts <- []byte(": now the stream is idle\n\n")
				time.Sleep(50 * time.Millisecond)
				kept += float64(heapInUse()) - float64(before)
				client.close()
			}
			b.ReportMetric(kept/float64(b.N)/float64(n), "heap-B/env")
		})
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what has a finalizer or was pooled goes with the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// compare runs the three sub-benchmarks for n environments against one service.
func compare(b *testing.B, n, size int, run func(*testing.B, *benchService, newBenchClient)) {
	for _, contender := range []struct {
		name      string
		newClient newBenchClient
	}{
		{"relayconf", newRelayconfClient},
		{"baseline", newBaselineClient},
		{"wire", newWireClient},
	} {
		b.Run(fmt.Sprintf("environments=%d/%s", n, contender.name), func(b *testing.B) {
			service := newBenchService(b)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			run(b, service, contender.newClient)
		})
	}
}
