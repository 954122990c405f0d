package autoconfig

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestReconnectEventWithoutData(t *testing.T) {
	for _, text := range []string{"event: reconnect\n\n", "event:reconnect\n\n", "event: reconnect\ndata\n\n", "event: reconnect\ndata: {}\n\n", "id: 7\nevent: reconnect\n\n"} {
		t.Run(strings.ReplaceAll(text, "\n", "/"), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream(eventText(PutEvent, put()) + text)
				assert.True(t, e.Dropped())
				assert.Nil(t, r.manager.Status().LastError)
				assert.NotEmpty(t, r.service.stream("").id())
			})
		})
	}
	t.Run("other events without data are none", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream("event: patch\n\nevent: put\n\n")
			assert.False(t, e.Dropped())
			assert.Nil(t, r.manager.Status().LastError)
		})
	})
}

func TestReconnect(t *testing.T) {
	t.Run("drops the connection and comes back after the usual delay", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			time.Sleep(2 * time.Minute)
			start := time.Now()
			r.manager.Reconnect()
			synctest.Wait()
			assert.True(t, e.Dropped())
			assert.Equal(t, StateInterrupted, r.manager.Status().State)
			assert.Nil(t, r.manager.Status().LastError, "it is no error")
			e = r.service.next()
			assert.GreaterOrEqual(t, e.after(start), time.Second/2)
			assert.LessOrEqual(t, e.after(start), 3*time.Second/2)
			assert.Equal(t, r.manager.Status().Digest, e.id())
			assert.Len(t, r.manager.Environments(), 1)
		})
	})
	t.Run("while it connects", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.next()
			r.manager.Reconnect()
			synctest.Wait()
			assert.True(t, e.Dropped())
			r.service.stream(eventText(PutEvent, put()))
			r.wantState(StateValid)
		})
	})
	t.Run("while it waits, before Start and after the end, it changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0)
			r.manager.Reconnect()
			r.manager.Start()
			r.service.next().Answer(404)
			synctest.Wait()
			start := time.Now()
			r.manager.Reconnect()
			assert.GreaterOrEqual(t, r.service.next().after(start), 150*time.Second, "the slow schedule goes on")
			r.close()
			r.manager.Reconnect()
		})
	})
	t.Run("inside a handler's call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(call string) {
				if call == "add a" {
					r.manager.Reconnect()
				}
			}
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
			r.wants("add a", "add b", "all")
			assert.True(t, e.Dropped())
		})
	})
}
