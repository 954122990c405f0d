package hub_test

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

// TestRelaysThatReadNothingHoldUpNobody lets relays stall in their put, while others follow more events than the recent
// past has.
func TestRelaysThatReadNothingHoldUpNobody(t *testing.T) {
	const size, stalled, events = 1 << 20, 100, 3000
	s := newServer(t, largeConfiguration(size), hub.WithRecentPast(100, 100<<10))
	var conns []net.Conn
	for range stalled {
		conns = append(conns, s.dialSmall(t, ""))
	}
	eventually(t, func() bool { return s.Status().Counters.Puts == stalled })
	relay := s.open(t, request{plain: true})
	relay.next()
	before := heap()
	for i := range events {
		change := env(fmt.Sprintf("env-%06d", i%1000), 2+i)
		s.Changes(false, changes{change})
		require.Equal(t, fmt.Sprintf("patch %s@%d", change.ID, change.Version), short(t, relay.next()))
	}
	assert.Less(t, heap(), before+2*size)
	late := s.open(t, request{}).next()
	assert.Equal(t, "put", late.Event(), "there is place for a newer put")
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	eventually(t, func() bool { return len(s.Relays()) == 2 })
}

func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// TestTwoPutsAtMost holds up two puts. Relays that take them at less than 16 kB/s are dropped when a third is wanted,
// and not before.
func TestTwoPutsAtMost(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		var readers sync.WaitGroup
		defer readers.Wait()
		slow := func(perSecond int) *line {
			l := m.open(t, testKey, "")
			readers.Go(func() {
				buffer := make([]byte, perSecond)
				for {
					time.Sleep(time.Second)
					if _, err := l.conn.Read(buffer); err != nil {
						return
					}
				}
			})
			return l
		}
		m.Changes(true, largeConfiguration(4<<20))
		defer slow(8 << 10).conn.Close()
		time.Sleep(time.Minute)
		m.Changes(true, []autoconfig.Change{removed("a")})
		defer slow(1 << 20).conn.Close()
		fast := m.open(t, testKey, "")
		time.Sleep(time.Second)
		require.Len(t, m.Relays(), 3)
		m.Changes(true, []autoconfig.Change{removed("b")})
		third := m.open(t, testKey, "")
		name, _ := third.event(t)
		assert.Equal(t, "put", name)
		assert.Len(t, m.Relays(), 3)
		assert.Equal(t, uint64(1), m.Status().Counters.DroppedSlow)
		require.NoError(t, fast.conn.Close())
		require.NoError(t, third.conn.Close())
	}, noKeepalives)
}
