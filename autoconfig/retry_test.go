package autoconfig

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRule15DelaysBetweenConnections(t *testing.T) {
	t.Run("failures double, health resets", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			last := time.Now()
			for _, most := range []time.Duration{0, 1, 2, 4, 8, 16, 30, 30} {
				e := r.service.next()
				assert.LessOrEqual(t, e.after(last), most*time.Second)
				assert.GreaterOrEqual(t, e.after(last), most*time.Second/2)
				last = e.At
				e.Refuse()
			}
			e := r.service.stream(eventText(PutEvent, put()))
			time.Sleep(59 * time.Second)
			e.drop()
			last = time.Now()
			e = r.service.stream(eventText(PutEvent, put()))
			assert.GreaterOrEqual(t, e.after(last), 15*time.Second, "a connection that does not last does not reset")
			time.Sleep(60 * time.Second)
			e.drop()
			last = time.Now()
			assert.LessOrEqual(t, r.service.next().after(last), 3*time.Second/2)
		})
	})
	t.Run("Retry-After", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			start := time.Now()
			r.service.next().Answer(503, "Retry-After", "100")
			e := r.service.next()
			assert.GreaterOrEqual(t, e.after(start), 100*time.Second)
			assert.LessOrEqual(t, e.after(start), 101*time.Second)
		})
	})
	t.Run("a hub's exact moment, sooner than the delay that is due or later", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			for range 5 {
				r.service.next().Refuse()
			}
			e := r.service.next()
			for _, after := range []time.Duration{time.Second / 2, 0, time.Minute} {
				last := time.Now()
				e.Answer(503, "Retry-After", "20", "Relayconf-Retry-After", fmt.Sprint(after.Seconds()))
				e = r.service.next()
				assert.GreaterOrEqual(t, e.after(last), max(after, time.Second/10))
				assert.LessOrEqual(t, e.after(last), max(after, time.Second/10)+time.Second/10)
			}
			last := time.Now()
			e.Answer(404, "Relayconf-Retry-After", "0.5")
			assert.GreaterOrEqual(t, r.service.next().after(last), 150*time.Second, "a mistake has no moment")
		})
	})
	t.Run("a client error is retried slowly", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			start := time.Now()
			r.service.next().Answer(404)
			e := r.service.next()
			assert.GreaterOrEqual(t, e.after(start), 150*time.Second)
			assert.LessOrEqual(t, e.after(start), 300*time.Second)
		})
	})
	t.Run("retry field", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.stream("retry: 20000\n\n").drop()
			start := time.Now()
			assert.GreaterOrEqual(t, r.service.next().after(start), 10*time.Second)
		})
	})
}

func TestRule15ReconnectEventDropsTheConnectionOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		start := time.Now()
		e.send(eventText(ReconnectEvent, `" "`) + eventText(PatchEvent, patchEnv("b", 1)))
		require.Error(t, e.Request.Context().Err())
		assert.Equal(t, StateInterrupted, r.manager.Status().State)
		assert.Nil(t, r.manager.Status().LastError, "it is no error")
		e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		assert.GreaterOrEqual(t, e.after(start), time.Second/2)
		assert.LessOrEqual(t, e.after(start), 3*time.Second/2)
		r.wants("all")
		time.Sleep(time.Minute)
		require.NoError(t, e.Request.Context().Err())
		assert.EqualValues(t, 2, r.manager.Status().Connections)
	})
}
