package autoconfig

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Items that come at once are handled without going back to the line; these are the rules that this must not bend.

func burst() string {
	var text strings.Builder
	for version := range 4 {
		text.WriteString(eventText(PatchEvent, patchEnv("b", 2+version)))
	}
	return text.String()
}

func TestRule11AKeyExpiresInTheMiddleOfABurst(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		at := time.Now().Add(1500 * time.Millisecond).UnixMilli()
		expiring := fmt.Sprintf(`"sdkKey":{"value":"sdk-a","expiring":{"value":"old","timestamp":%d}}`, at)
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, expiring), listedEnv("b", 1))))
		r.wants("add a", "add b", "all")
		r.relay.on = func(string) { time.Sleep(time.Second) }
		e.send(burst())
		time.Sleep(10 * time.Second)
		r.wants("update b", "update b", "expired a old", "update b", "update b")
	})
}

func TestRule17SetKeyEndsABurst(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("b", 1))))
		r.wants("add b", "all")
		r.relay.on = func(string) { r.manager.SetKey("rel-test-key-0002") }
		e.send(burst())
		r.service.next()
		r.wants("update b")
	})
}

func TestRule17CloseEndsABurst(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("b", 1))))
		r.wants("add b", "all")
		r.relay.on = func(string) { r.manager.Close() }
		e.send(burst())
		<-r.manager.Done()
		r.wants("update b")
	})
}

// largePut is larger than the reader's buffer, so that it comes in parts.
func largePut(t *testing.T, version int) string {
	var environments []string
	for i := range 2000 {
		environments = append(environments, listedEnv(fmt.Sprintf("%04d", i), version, `"envName":"`+strings.Repeat("n", 200)+`"`))
	}
	text := eventText(PutEvent, put(environments...))
	require.Greater(t, len(text), 600_000)
	return text
}

func TestRule07ALargePutThatIsCutOffChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		text := largePut(t, 1)
		e.send(text[:len(text)-10])
		e.drop()
		r.wants()
		r.service.stream(text[:400_000] + "\x01")
		r.wants()
		e = r.service.stream(text)
		calls := r.relay.take()
		require.Len(t, calls, 2000+2)
		assert.Equal(t, []string{"add 0000", "add 0001"}, calls[:2])
		assert.Equal(t, []string{"delete a", "all"}, calls[2000:])
		e.send(text)
		r.wants("all")
	})
}

func TestAPutThatWasCutOffKeepsNothing(t *testing.T) {
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	const megabyte = 1 << 20
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		before := heap()
		e.send("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{")
		for i := range 20 {
			e.send(listedEnv(string(rune('b'+i)), 1, `"envName":"`+strings.Repeat("n", megabyte)+`"`) + ",")
		}
		require.Greater(t, heap(), before+15*megabyte, "the items of the put are kept until it is whole")
		e.drop()
		r.service.next() // nothing comes on the next connection
		assert.Less(t, heap(), before+2*megabyte)
		r.wants("add a", "all")
	})
}
