package fleet

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
)

// BenchmarkFleet has 2,000 relays on one hub, with and without agents, all in this process: the memory is that of both ends.
func BenchmarkFleet(b *testing.B) {
	const relays = 2000
	for _, linked := range []bool{false, true} {
		b.Run(fmt.Sprintf("agents=%v", linked), func(b *testing.B) {
			for b.Loop() {
				measure(b, relays, linked)
			}
		})
	}
}

func measure(b *testing.B, relays int, linked bool) {
	r := newRig(b)
	r.has(map[string]int{"web-1": 1})
	before := memory()
	for i := range relays {
		if linked {
			r.relay(fmt.Sprintf("relay-%04d", i))
		} else {
			r.bare()
		}
	}
	upToDate := func() (n int) {
		for _, relay := range r.local.Overview().Relays {
			if relay.InSync() || relay.SentAll() {
				n++
			}
		}
		return n
	}
	require.Eventually(b, func() bool { return upToDate() == relays }, 4*soon, time.Second, "all up to date")
	b.ReportMetric(float64(memory()-before)/float64(relays)/1024, "KiB/relay")

	start := time.Now()
	r.patch("web-1", 2)
	p := r.wait(Condition{AllowUnconfirmed: true, Environment: "web-1", Version: 2}).result()
	require.Equal(b, Applied, p.Result)
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/wait")
	if linked {
		start = time.Now()
		results, err := rpc.CallAll[agentpb.VersionInfo](b.Context(), r.local.clients, &agentpb.GetVersionInfoRequest{})
		require.NoError(b, err)
		require.Len(b, results, relays)
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/CallAll")
	}
}

// memory is the heap in use and the stacks, after a garbage collection.
func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
