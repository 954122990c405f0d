package line

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

const (
	// healed is how soon after the end of a fault the view must be the service's, on a slow machine too: a retry delay, which
	// is well below a second after the few failures here, and a new put.
	healed = 20 * time.Second

	// worst is the same after any number of failures: the longest delay of the fast schedule is 30 s.
	worst = 30*time.Second + healed
)

func environments(n, version int) (all []envfactory.EnvironmentRep) {
	for i := 1; i <= n; i++ {
		all = append(all, rig.Environment(i, version))
	}
	return all
}

// newService is one that knows n environments.
func newService(t *testing.T, n int) *autoconfigtest.Server {
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(environments(n, 1)...))
	return service
}

func TestALateLineLosesNothing(t *testing.T) {
	t.Parallel()
	service := newService(t, 3)
	line := newFaulty(t, service)
	line.fault(`{"type":"latency","attributes":{"latency":300,"jitter":200}}`)
	line.fault(`{"type":"latency","stream":"upstream","name":"up","attributes":{"latency":300}}`)
	relay := rig.Follow(t, line.uri, rig.Options{})
	relay.WaitForView(t, rig.ViewOf(environments(3, 1)...), healed)
	for version := 2; version <= 20; version++ {
		service.Patch(rig.Environment(1, version))
	}
	relay.WaitForView(t, rig.ViewOf(append(environments(3, 1), rig.Environment(1, 20))...), healed)
	assert.EqualValues(t, 1, relay.Manager.Status().Connections)
}

// A put takes several times the read timeout to arrive. That is not silence.
func TestASlowLineIsNotSilent(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	service := newService(t, 180) // some 65 kB
	line := newFaulty(t, service)
	line.fault(`{"type":"bandwidth","attributes":{"rate":5}}`)
	start := time.Now()
	relay := rig.Follow(t, line.uri, rig.Options{Manager: []autoconfig.Option{autoconfig.WithReadTimeout(timeout)}})
	relay.WaitForView(t, rig.ViewOf(environments(180, 1)...), rig.Soon)
	assert.Greater(t, time.Since(start), 3*timeout, "the line was too fast to prove anything")
	assert.EqualValues(t, 1, relay.Manager.Status().Connections)
	assert.Nil(t, relay.Manager.Status().LastError)
}

func TestSlicesOfOneByte(t *testing.T) {
	t.Parallel()
	service := newService(t, 10)
	line := newFaulty(t, service)
	line.fault(`{"type":"slicer","attributes":{"average_size":1,"size_variation":0,"delay":0}}`)
	relay := rig.Follow(t, line.uri, rig.Options{})
	relay.WaitForView(t, rig.ViewOf(environments(10, 1)...), rig.Soon)
	for version := 2; version <= 10; version++ {
		service.Patch(rig.Environment(1, version))
	}
	relay.WaitForView(t, rig.ViewOf(append(environments(10, 1), rig.Environment(1, 10))...), rig.Soon)
	assert.EqualValues(t, 1, relay.Manager.Status().Connections)
}

// Wherever a response breaks off, nothing of a half event is applied, and the next connection brings it all. That goes for
// an event whose data is whole and whose blank line is missing, too.
func TestACutAtEveryOffset(t *testing.T) {
	t.Parallel()
	service := newService(t, 1)
	whole := len(rawResponse(t, service))
	offsets := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for offset := range offsets {
				t.Run(fmt.Sprint(offset), func(t *testing.T) { cutAt(t, service, offset, whole) })
			}
		})
	}
	for offset := range whole {
		offsets <- offset
	}
	close(offsets)
	workers.Wait()
}

func cutAt(t *testing.T, service *autoconfigtest.Server, offset, whole int) {
	line := newFaulty(t, service)
	line.fault(fmt.Sprintf(`{"type":"limit_data","attributes":{"bytes":%d}}`, offset))
	relay := rig.Follow(t, line.uri, rig.Options{})
	want := rig.ViewOf(rig.Environment(1, 1))
	waitForError(t, relay)
	// The event is whole with the blank line after its data. Only the end of the chunk, CR and LF, follows.
	if offset < whole-len("\r\n") {
		assert.Empty(t, relay.View(), "half an event was applied")
	} else {
		relay.WaitForView(t, want, healed)
	}
	line.heal()
	relay.WaitForView(t, want, healed)
}

func TestResets(t *testing.T) {
	t.Parallel()
	for _, direction := range []string{"upstream", "downstream"} {
		t.Run(direction, func(t *testing.T) {
			service := newService(t, 3)
			line := newFaulty(t, service)
			relay := rig.Follow(t, line.uri, rig.Options{})
			relay.WaitForView(t, rig.ViewOf(environments(3, 1)...), healed)
			line.fault(fmt.Sprintf(`{"type":"reset_peer","stream":%q,"attributes":{"timeout":1}}`, direction))
			service.Patch(rig.Environment(1, 2)) // meets the reset, or comes with the next put
			service.DropConnections()
			waitForError(t, relay)
			line.heal()
			relay.WaitForView(t, rig.ViewOf(append(environments(3, 1), rig.Environment(1, 2))...), healed)
		})
	}
}

// A line that stays up and carries nothing any more is given up after the read timeout.
func TestABlackHole(t *testing.T) {
	t.Parallel()
	const timeout = 400 * time.Millisecond
	options := rig.Options{Manager: []autoconfig.Option{autoconfig.WithReadTimeout(timeout)}}
	blackHole := `{"type":"timeout","attributes":{"timeout":0}}`
	t.Run("under a stream", func(t *testing.T) {
		service := newService(t, 3)
		line := newFaulty(t, service)
		relay := rig.Follow(t, line.uri, options)
		relay.WaitForView(t, rig.ViewOf(environments(3, 1)...), healed)
		line.fault(blackHole)
		service.Patch(rig.Environment(1, 2))
		waitForError(t, relay)
		assert.Equal(t, autoconfig.ErrorKindTimeout, relay.Manager.Status().LastError.Kind)
		assert.Equal(t, rig.ViewOf(environments(3, 1)...), relay.View(), "what is known stays")
		line.heal()
		relay.WaitForView(t, rig.ViewOf(append(environments(3, 1), rig.Environment(1, 2))...), timeout+healed)
	})
	t.Run("from the start", func(t *testing.T) {
		service := newService(t, 3)
		line := newFaulty(t, service)
		line.fault(blackHole)
		relay := rig.Follow(t, line.uri, options)
		waitForError(t, relay)
		assert.Equal(t, autoconfig.ErrorKindTimeout, relay.Manager.Status().LastError.Kind)
		line.heal()
		relay.WaitForView(t, rig.ViewOf(environments(3, 1)...), timeout+healed)
	})
}

// The listener comes and goes 300 times, while the configuration changes. Several relays follow, so that there is
// always one that meets it at a bad moment.
func TestAListenerThatFlaps(t *testing.T) {
	t.Parallel()
	service := newService(t, 20)
	line := newFaulty(t, service)
	var relays []*rig.Relay
	for range 10 {
		relays = append(relays, rig.Follow(t, line.uri, rig.Options{}))
	}
	for version := 2; version <= 301; version++ {
		line.proxy.Stop()
		service.Patch(rig.Environment(1+version%20, version))
		time.Sleep(2 * time.Millisecond)
		require.NoError(t, line.proxy.Start())
		time.Sleep(5 * time.Millisecond)
	}
	want := environments(20, 1)
	for version := 2; version <= 301; version++ {
		want[version%20] = rig.Environment(1+version%20, version)
	}
	start := time.Now()
	connections := 0
	for _, relay := range relays {
		relay.WaitForView(t, rig.ViewOf(want...), worst-time.Since(start))
		connections += int(relay.Manager.Status().Connections)
	}
	t.Logf("%d connections; all views are right %s after the last flap", connections, time.Since(start).Round(time.Millisecond))
}
