package page

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/autoconfig"
)

// known returns a relay as pages get it.
func (p *Page) known(id string) Relay {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.relays[id]
}

func TestOnlyARelayThatStaysBehindIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub()
		good, bad := Relay{ID: "1", Name: "eu-1", Sync: InSync}, Relay{ID: "1", Name: "eu-1", Sync: Behind}
		hub.setRelays(good)
		p := New(Options{Hub: hub})
		defer p.Close()
		_, _ = p.open()
		hub.setRelays(bad)
		time.Sleep(watchedInterval)
		synctest.Wait()
		behind := p.known("1")
		assert.Equal(t, Behind, behind.Sync)
		assert.NotZero(t, behind.BehindSince, "since the page has seen it so")
		hub.setRelays(good)
		time.Sleep(watchedInterval)
		synctest.Wait()
		assert.Len(t, p.lines(), 1, "it was behind for a moment")

		hub.setRelays(bad)
		time.Sleep(lateAfter + 2*watchedInterval)
		synctest.Wait()
		hub.setRelays(good)
		time.Sleep(watchedInterval)
		synctest.Wait()
		hub.setRelays()
		time.Sleep(watchedInterval)
		synctest.Wait()
		assert.Equal(t, []string{"relay eu-1 relay connected", "late eu-1 is late, 5 s behind", "relay eu-1 has caught up",
			"relay eu-1 relay disconnected"}, p.lines())
	})
}

func TestAnAbsentRelayIsNotConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub()
		hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: Absent})
		p := New(Options{Hub: hub})
		defer p.Close()
		assert.Empty(t, p.lines())
		hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: Sent})
		time.Sleep(unwatchedInterval)
		synctest.Wait()
		hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: Absent})
		time.Sleep(unwatchedInterval)
		synctest.Wait()
		hub.setRelays()
		time.Sleep(unwatchedInterval)
		synctest.Wait()
		assert.Equal(t, []string{"relay eu-1 relay connected", "relay eu-1 relay disconnected"}, p.lines(), "it is forgotten without a word")
	})
}

func TestManyRelaysAtOnceAreOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub()
		var relays []Relay
		for i := range maxSingleRelays + 1 {
			relays = append(relays, Relay{ID: fmt.Sprint(i), Name: "eu", Sync: Sent})
		}
		hub.setRelays(relays...)
		p := New(Options{Hub: hub})
		defer p.Close()
		hub.setRelays()
		time.Sleep(unwatchedInterval)
		synctest.Wait()
		assert.Equal(t, []string{"relay  6 relays connected", "relay  6 relays disconnected"}, p.lines())
	})
}

func TestWhatTheLogSaysOfTheUpstream(t *testing.T) {
	ok := Upstream{Condition: ConditionOK}
	stale := Upstream{State: autoconfig.StateInterrupted, Condition: "stale", Reason: "the source is away"}
	for _, row := range []struct {
		name          string
		before, after Upstream
		want          string
	}{
		{"at first", Upstream{}, stale, ""},
		{"the same", stale, stale, ""},
		{"lost", ok, stale, "The source is away"},
		{"back", stale, ok, "The upstream is followed"},
		{"no reason", ok, Upstream{Condition: "ended"}, "Ended"},
	} {
		assert.Equal(t, row.want, upstreamText(row.before, row.after), row.name)
	}
}
