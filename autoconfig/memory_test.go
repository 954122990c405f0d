package autoconfig_test

import (
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestALargePutTakesLittleMoreThanTwiceItsSize(t *testing.T) {
	const environments = 100_000
	put := benchPut(environments, 1, nil)
	client := newRelayconfClient(newBenchService(t))
	defer client.close()

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	client.deliver(put, environments+1)
	runtime.ReadMemStats(&after)
	// All that was ever allocated is the most that can have been in use at once.
	// Its text is kept, and most of the rest are the params that the handler gets.
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2.2*float64(len(put))))
}

// A comment on an idle stream allocates nothing, from the socket to the handler, and wakes only the goroutine that reads
// and the run loop.
func TestAnIdleStreamCostsNothing(t *testing.T) {
	service := newBenchService(t)
	http, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, benchKey, "", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	seen := &commentCounter{newProgress(), make(chan struct{})}
	m := autoconfig.NewStreamManager(benchKey, service.url, seen, http, 0, ldlog.NewDisabledLoggers())
	require.NoError(t, <-m.Start())
	client := service.client(seen.progress, func() {
		m.Close()
		<-m.Done()
	})
	defer client.close()
	client.deliver(benchPut(10, 1, nil), 11)

	comment := []byte(":\n\n")
	send := func(count int) {
		for range count {
			client.texts <- comment
			<-seen.comments
		}
	}
	send(100) // what is made once
	const comments = 2000
	var before, after runtime.MemStats
	wakesBefore := wakes()
	runtime.ReadMemStats(&before)
	send(comments)
	runtime.ReadMemStats(&after)
	allocations := float64(after.Mallocs-before.Mallocs) / comments
	wakeUps := float64(wakes()-wakesBefore) / comments
	t.Logf("%.3f allocations and %.1f wake-ups for each comment, those of the service and the test included", allocations, wakeUps)
	assert.Less(t, allocations, 0.9) // the race detector makes the pools of net/http forget now and then
	// The service, the test, the run loop, and the goroutine that reads, twice: for the comment, and when it is handled.
	assert.Less(t, wakeUps, 8.0)
}

// commentCounter is a handler that also tells of comments. The text of those in the test is empty, so that no string is
// made for it.
type commentCounter struct {
	*progress
	comments chan struct{}
}

func (c *commentCounter) KeepAlive(string) { c.comments <- struct{}{} }

// wakes is about how often goroutines were made to run so far.
func wakes() uint64 {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	var count uint64
	for _, n := range sample[0].Value.Float64Histogram().Counts {
		count += n
	}
	return count
}
