//go:build linux && servers

package hubs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/freeport"
	"github.com/relayconf/relayconf/internal/redistest"
)

func TestARedisThatFailsIsReportedAndTouchesNoConfiguration(t *testing.T) {
	t.Parallel()
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s %s", time.Since(began).Seconds(), what) }
	step("the fleet starts")
	redis := startRedis(t)
	line := newRedisLine(t, redis)
	f := newFleet(t, urlOf(line.Listen), 3, 12)
	f.waitForWhole(t, f.hubs...)
	w := f.watch(t)
	before := f.connections()

	step("Redis answers after 300 ms")
	line.delay(t, 300*time.Millisecond)
	f.rotate()
	t.Logf("all have version %d after %s", f.version, f.waitForRelays(t, f.relays))
	f.requireWhole(t)

	w.partial.Store(true)
	step("Redis answers after an hour")
	line.delay(t, time.Hour)
	f.requireOnTheirOwn(t)
	step("Redis answers again")
	line.heal()
	f.requireWhole(t)

	step("Redis is killed")
	redis.Kill()
	f.requireOnTheirOwn(t)
	step("Redis comes back")
	redis.Run()
	f.requireWhole(t)

	step("Redis is killed, and comes back empty")
	redis.Kill()
	redis.Lose()
	f.requireOnTheirOwn(t)
	redis.Run()
	f.requireWhole(t)
	step("done")

	assert.Equal(t, before, f.connections(), "no relay has lost its stream or its link")
	for _, r := range f.relays {
		assert.NotContains(t, r.stdout.String(), "interrupted", r.name)
	}
}

// connections returns how many streams and links each relay has made.
func (f *fleet) connections() (counts []string) {
	for _, r := range f.relays {
		counts = append(counts, fmt.Sprintf("%s: streams %d, links %d", r.name, r.count(aStream), r.count(aLink)))
	}
	return counts
}

// requireOnTheirOwn waits until each hub says that it can't know of the others' relays, and shows its own. Changes reach
// every relay at once, and nobody says that all relays have them.
func (f *fleet) requireOnTheirOwn(t *testing.T) {
	t.Helper()
	f.rotate() // while the hubs have yet to notice
	took := f.waitForRelays(t, f.relays)
	for i, h := range f.hubs {
		h.waitForList(t, func(l listing) error { return f.onItsOwn(i, l) })
	}
	f.rotate()
	took2 := f.waitForRelays(t, f.relays)
	t.Logf("all have version %d after %s, and version %d after %s", f.version-1, took, f.version, took2)
	var waits []*process
	for _, h := range f.hubs {
		waits = append(waits, h.begin(t, f.wait(time.Second)...))
		_, stderr := h.run(t, 1, "call", f.elsewhere(t, h).name, "get-status")
		assert.NotEmpty(t, stderr)
	}
	for _, p := range waits {
		require.Equal(t, inconclusive, p.exit(t), "%s%s", &p.stdout, &p.stderr)
		assert.Contains(t, p.stderr.String(), "Redis")
	}
}

// onItsOwn checks that a hub says that it knows its own relays only, and shows these.
func (f *fleet) onItsOwn(number int, l listing) error {
	if l.Complete || !strings.Contains(l.Incomplete, "Redis") {
		return errors.New("it does not say that Redis fails")
	}
	shown := map[string]listedRelay{}
	for _, r := range l.Relays {
		shown[r.Name] = r
	}
	for _, r := range f.relays {
		if at, _ := r.at(aLink); at != number {
			continue
		}
		if s := shown[r.name]; !s.Connected || !s.InSync || s.Hub != f.hubs[number].name {
			return fmt.Errorf("it does not show %s, its own relay, as it is", r.name)
		}
	}
	return nil
}

// requireWhole waits until the hubs are one fleet again, and wait says so.
func (f *fleet) requireWhole(t *testing.T) {
	t.Helper()
	f.waitForWhole(t, f.hubs...)
	for _, h := range f.hubs {
		h.run(t, applied, f.wait(soon)...)
	}
}

// redisLine is the line between the hubs and Redis.
type redisLine struct{ *toxiproxy.Proxy }

func newRedisLine(t *testing.T, redis *redistest.Server) redisLine {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "redis", freeport.Address(t), redis.Addr())
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return redisLine{proxy}
}

// delay delays all that Redis says.
func (l redisLine) delay(t *testing.T, by time.Duration) {
	t.Helper()
	l.heal()
	_, err := l.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type": "latency", "attributes": {"latency": %d}}`, by.Milliseconds())))
	require.NoError(t, err)
}

func (l redisLine) heal() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l.Toxics.ResetToxics(ctx)
}
