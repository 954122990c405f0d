package hub_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/autoconfig"
)

// A relay takes the put for the whole configuration: one that writes a file and ends, or says that it is ready, acts on it.
func TestANewcomersPutIsOfThePresent(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		put := func() string {
			newcomer := m.open(t, testKey, "")
			defer newcomer.conn.Close()
			_, id := newcomer.event(t)
			synctest.Wait() // until the put is not taken any more
			return id
		}
		of := func() string { return viewOf(t, m.Hub, testKey).Digest }

		before := of()
		assert.Equal(t, before, put())
		m.Changes(false, []autoconfig.Change{env("a", 2)})
		assert.Equal(t, before, put(), "one that others took a moment ago, and the events since")
		time.Sleep(time.Second)
		assert.Equal(t, of(), put())

		stalled := m.open(t, testKey, "")
		defer stalled.conn.Close()
		synctest.Wait()
		m.Changes(false, []autoconfig.Change{env("a", 3)})
		time.Sleep(time.Second)
		assert.Equal(t, of(), put(), "beside a relay that does not read its own")
	}, noKeepalives)
}
