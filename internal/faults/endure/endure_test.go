// Package endure proves that nothing grows: months of a relay's life in seconds.
package endure

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

const megabyte = 1 << 20

// use is what a process holds.
type use struct {
	goroutines, files int
	heap              int64 // bytes
}

func inUse(t *testing.T) use {
	t.Helper()
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	files, _ := os.ReadDir("/proc/self/fd") // nothing is counted where there is no such folder
	return use{runtime.NumGoroutine(), len(files), int64(stats.HeapAlloc)}
}

// requireNoMore waits until no more is in use than before: what was closed takes a moment to go.
func requireNoMore(t *testing.T, before use, heap int64) {
	t.Helper()
	now := inUse(t)
	for deadline := time.Now().Add(rig.Soon); ; now = inUse(t) {
		if now.goroutines <= before.goroutines && now.files <= before.files && now.heap <= before.heap+heap {
			break
		}
		if time.Now().After(deadline) {
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			t.Fatalf("before: %+v, now: %+v", before, now)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("before: %+v, now: %+v", before, now)
}

func TestAThousandStartsAndClosesLeaveNothingBehind(t *testing.T) {
	service := autoconfigtest.NewServer(nil)
	defer service.Close()
	service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
	cycle := func(i int) {
		relay := rig.New(t, service.URL, rig.Options{})
		if relay.Ready = relay.Manager.Start(); i%4 != 0 { // one in four is closed while it connects
			require.NoError(t, <-relay.Ready)
		}
		if i%4 == 1 {
			relay.WaitForPuts(t, 1, rig.Soon)
		}
		relay.Close()
	}
	for i := range 20 {
		cycle(i)
	}
	service.WaitForOpenConnections(0, rig.Soon)
	before := inUse(t)
	for i := range 1000 {
		cycle(i)
	}
	service.WaitForOpenConnections(0, rig.Soon)
	requireNoMore(t, before, 2*megabyte) // the service keeps each request that it saw
}

func TestAThousandReconnectsLeaveNothingBehind(t *testing.T) {
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
	relay := rig.Follow(t, service.URL, rig.Options{})
	// Another key each time makes the manager reconnect at once, without the retry delays of a line that is never up
	// for long.
	reconnect := func(i int) {
		relay.Manager.SetKey(config.AutoConfigKey(fmt.Sprintf("rel-%d", i)))
		relay.WaitForPuts(t, i+1, rig.Soon)
	}
	relay.WaitForPuts(t, 1, rig.Soon)
	for i := 1; i <= 20; i++ {
		reconnect(i)
	}
	service.WaitForOpenConnections(1, rig.Soon)
	before := inUse(t)
	for i := 21; i <= 1020; i++ {
		reconnect(i)
	}
	service.WaitForOpenConnections(1, rig.Soon)
	assert.EqualValues(t, 1021, relay.Manager.Status().Connections)
	requireNoMore(t, before, 4*megabyte)
}

// soakHandler counts.
type soakHandler struct {
	updates atomic.Int64
}

func (*soakHandler) AddEnvironment(envfactory.EnvironmentParams) {}
func (*soakHandler) ReceivedAllEnvironments()                    {}
func (*soakHandler) DeleteEnvironment(config.EnvironmentID)      {}
func (*soakHandler) KeyExpired(config.EnvironmentID, config.SDKKey) {
}

func (h *soakHandler) UpdateEnvironment(envfactory.EnvironmentParams) {
	h.updates.Add(1)
}

const (
	environments = 10_000
	patches      = 1_000_000 / slowness
)

// The service writes its events itself, because it has to be fast.
func TestAMillionPatchesHoldAFlatHeap(t *testing.T) {
	service := newSoakService(t)
	handler := &soakHandler{}
	httpConfig, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	manager := autoconfig.NewStreamManager(rig.Key, service.uri, handler, httpConfig, 0, ldlog.NewDisabledLoggers())
	defer func() {
		manager.Close()
		<-manager.Done()
	}()
	manager.Start()
	var heaps []string
	var early, late int64
	for tenth := range 10 {
		require.NoError(t, service.patch(patches/10))
		sent := int64(tenth+1) * (patches / 10)
		require.Eventually(t, func() bool { return handler.updates.Load() == sent }, 2*time.Minute, time.Millisecond, "%+v", manager.Status())
		heap := inUse(t).heap
		heaps = append(heaps, fmt.Sprintf("%.1f", float64(heap)/megabyte))
		if tenth == 1 {
			early = heap
		}
		late = heap
	}
	t.Logf("MB of heap after each tenth of %d patches: %s", patches, strings.Join(heaps, " "))
	assert.LessOrEqual(t, late, early+2*megabyte)
	assert.EqualValues(t, 1, manager.Status().Connections)
}
