package autoconfig

import (
	"fmt"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/sse"
	"github.com/relayconf/relayconf/internal/stream"
)

// ignorant is a handler that does nothing.
type ignorant struct{}

func (ignorant) AddEnvironment(envfactory.EnvironmentParams)        {}
func (ignorant) UpdateEnvironment(envfactory.EnvironmentParams)     {}
func (ignorant) ReceivedAllEnvironments()                           {}
func (ignorant) DeleteEnvironment(config.EnvironmentID)             {}
func (ignorant) KeyExpired(_ config.EnvironmentID, _ config.SDKKey) {}

// idleRunner is a run loop that does not run: the test gives it its items.
func idleRunner() *runner {
	m := NewStreamManager(testKey, "http://localhost", ignorant{}, httpconfig.HTTPConfig{}, 0, ldlog.NewDisabledLoggers())
	return newRunner(m)
}

// mustHandle handles a whole event.
func (r *runner) mustHandle(t *testing.T, item sse.Item) {
	var verdict stream.Verdict
	r.event(item, time.Now(), &verdict)
	require.NoError(t, verdict.Invalid)
}

func event(name, data string) sse.Item { return sse.Item{Name: name, Data: []byte(data)} }

func manyEnvironments(n int) string {
	environments := make([]string, n)
	for i := range environments {
		environments[i] = listedEnv(fmt.Sprintf("5f1b0c7e%016d", i), 1, `"envName":"Production","defaultTtl":5,"secureMode":true`)
	}
	return put(environments...)
}

// Allocations are counted here because they do not depend on the machine; see docs/performance.md for the times.

func TestAPatchTakesAtMostFourAllocations(t *testing.T) {
	r := idleRunner()
	r.mustHandle(t, event(PutEvent, manyEnvironments(1000)))
	const runs = 200
	var patches []sse.Item
	for i := range runs + 1 {
		id := fmt.Sprintf("5f1b0c7e%016d", i%100)
		patches = append(patches, event(PatchEvent, patchEnv(id, 2+i)))
	}
	next := 0
	allocs := testing.AllocsPerRun(runs, func() {
		r.mustHandle(t, patches[next])
		next++
	})
	// The text, the message, the list of changes, and the lists of keys in the params.
	assert.LessOrEqual(t, allocs, 4.0)
}

func TestAnUnchangedPutTakesTheSameAllocationsHoweverLargeItIs(t *testing.T) {
	for _, n := range []int{10, 1000} {
		r := idleRunner()
		put := event(PutEvent, manyEnvironments(n))
		r.mustHandle(t, put)
		assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { r.mustHandle(t, put) }), 16.0, "%d environments", n)
	}
}

func TestAFirstPutTakesFewAllocationsForEachEnvironment(t *testing.T) {
	const n = 1000
	put := event(PutEvent, manyEnvironments(n))
	allocs := testing.AllocsPerRun(5, func() { idleRunner().mustHandle(t, put) })
	// The text, and the lists of keys in the params.
	assert.Less(t, allocs/n, 2.3)
}
