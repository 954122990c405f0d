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

func (r *runner) mustTake(t *testing.T, name, data string) {
	require.NoError(t, r.takeItem(sse.Item{Name: name, Data: []byte(data)}))
}

func manyEnvironments(n int) string {
	environments := make([]string, n)
	for i := range environments {
		environments[i] = listedEnv(fmt.Sprintf("5f1b0c7e%016d", i), 1, `"envName":"Production","defaultTtl":5,"secureMode":true`)
	}
	return put(environments...)
}

// What allocates is counted here because it does not depend on the machine; see docs/performance.md for the times.

func TestAPatchTakesAtMostThreeAllocations(t *testing.T) {
	r := idleRunner()
	r.mustTake(t, PutEvent, manyEnvironments(1000))
	const runs = 200
	var patches []sse.Item
	for i := range runs + 1 {
		id := fmt.Sprintf("5f1b0c7e%016d", i%100)
		patches = append(patches, sse.Item{Name: PatchEvent, Data: []byte(patchEnv(id, 2+i))})
	}
	next := 0
	allocs := testing.AllocsPerRun(runs, func() {
		require.NoError(t, r.takeItem(patches[next]))
		next++
	})
	// The strings if they have changed, the message, and the lists of keys in the params.
	assert.LessOrEqual(t, allocs, 3.0)
}

func TestAnUnchangedPutTakesTheSameAllocationsHoweverLargeItIs(t *testing.T) {
	for _, n := range []int{10, 1000} {
		r := idleRunner()
		event := sse.Item{Name: PutEvent, Data: []byte(manyEnvironments(n))}
		require.NoError(t, r.takeItem(event))
		assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { _ = r.takeItem(event) }), 8.0, "%d environments", n)
	}
}

func TestAFirstPutTakesFewAllocationsForEachEnvironment(t *testing.T) {
	const n = 1000
	event := sse.Item{Name: PutEvent, Data: []byte(manyEnvironments(n))}
	allocs := testing.AllocsPerRun(5, func() { _ = idleRunner().takeItem(event) })
	// The strings and the lists of keys in the params; a thirty-second part of a block of items.
	assert.Less(t, allocs/n, 2.3)
}

func TestACommentAllocatesNothing(t *testing.T) {
	r := idleRunner()
	r.mustTake(t, PutEvent, manyEnvironments(10))
	r.putApplied = true
	defer r.watchdog.Stop()
	comment := sse.Item{Kind: sse.Comment, Data: []byte("keepalive")}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = r.takeItem(comment) }))
	assert.WithinDuration(t, time.Now(), r.m.Status().LastKeepAlive, time.Minute)
}
