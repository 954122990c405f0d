package autoconfig

import (
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

func TestRule16CommentsAreKeepalives(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(": hello\n" + eventText(PutEvent, put()))
		r.wants("keepalive hello", "all")
		time.Sleep(time.Minute)
		e.send(":\n")
		r.wants("keepalive ")
		status := r.manager.Status()
		assert.EqualValues(t, 2, status.KeepAlives)
		assert.Equal(t, time.Now(), status.LastKeepAlive)
		assert.Equal(t, time.Now(), status.LastActivity)
	})
}

func TestRule16Silence(t *testing.T) {
	const timeout = 10 * time.Second
	t.Run("longer than the read timeout drops the connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put()))
			time.Sleep(timeout - 1)
			e.send(":\n")
			time.Sleep(timeout - 1)
			e.send("\n")
			assert.Equal(t, timeout, e.waitDropped(t))
			synctest.Wait()
			status := r.manager.Status()
			assert.Equal(t, StateInterrupted, status.State)
			assert.Equal(t, ErrorKindTimeout, status.LastError.Kind)
			assert.Equal(t, time.Now().Add(-timeout), status.LastActivity)
			r.service.stream("")
		}, WithReadTimeout(timeout))
	})
	t.Run("is broken by any byte", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream("")
			for _, b := range []byte(eventText(PutEvent, put(listedEnv("a", 1)))) {
				time.Sleep(timeout - 1)
				e.send(string(b))
			}
			r.wants("add a", "all")
			assert.EqualValues(t, 1, r.manager.Status().Connections)
		}, WithReadTimeout(timeout))
	})
	t.Run("is not time spent in the handler", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(string) { time.Sleep(5 * timeout) }
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, expiring("a", "old", 1<<30)))))
			time.Sleep(timeout / 2)
			e.send(eventText(PatchEvent, patchEnv("a", 2)))
			time.Sleep(timeout - 1)
			require.NoError(t, e.Request.Context().Err())
			r.relay.take()
		}, WithReadTimeout(timeout))
	})
	t.Run("is not time spent in the handler while nothing is read for it", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(call string) {
				if call == "expired a old" {
					time.Sleep(5 * timeout)
				}
			}
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, expiring("a", "old", fromNow(5*time.Second))))))
			time.Sleep(timeout + 5*timeout - 1)
			synctest.Wait()
			require.NoError(t, e.Request.Context().Err())
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			require.Error(t, e.Request.Context().Err())
		}, WithReadTimeout(timeout))
	})
	t.Run("is not broken by keys that expire", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put(
				listedEnv("a", 1, expiring("a", "old", fromNow(4*time.Second))),
				listedEnv("b", 1, expiring("b", "old", fromNow(8*time.Second))))))
			assert.Equal(t, timeout, e.waitDropped(t))
			r.wants("add a", "add b", "all", "expired a old", "expired b old")
		}, WithReadTimeout(timeout))
	})
	t.Run("of a service that does not answer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.next()
			e.waitDropped(t)
			assert.Equal(t, timeout, time.Since(e.At))
			r.service.stream("")
			assert.Equal(t, ErrorKindTimeout, r.manager.Status().LastError.Kind)
		}, WithReadTimeout(timeout))
	})
	t.Run("is 5 minutes by default", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put()))
			assert.Equal(t, 5*time.Minute, e.waitDropped(t))
		}, WithReadTimeout(0))
	})
}

func TestRule18States(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		start := time.Now()
		assert.Equal(t, Status{State: StateInitializing, StateSince: start, Source: SourceNone}, r.manager.Status())
		r.service.next().Refuse()
		e := r.service.stream("")
		assert.Equal(t, StateInitializing, r.manager.Status().State, "a bare 200 proves nothing")
		e.send(eventText(PatchEvent, patchEnv("a", 1)))
		assert.Equal(t, StateInitializing, r.manager.Status().State, "until the first put")
		e.send(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
		status := r.manager.Status()
		assert.Equal(t, StateValid, status.State)
		assert.Equal(t, 2, status.Environments)
		assert.NotNil(t, status.LastError, "the last error is kept after recovery")
		time.Sleep(time.Second)
		e.drop()
		r.wantState(StateInterrupted)
		assert.Equal(t, time.Now(), r.manager.Status().StateSince)
		e = r.service.stream(": hello\n")
		r.wantState(StateInterrupted)
		e.send(eventText("policy-note", "{}"))
		r.wantState(StateInterrupted)
		e.send(eventText(DeleteEvent, deletion("/environments/b", 9)))
		r.wantState(StateValid)
		assert.Equal(t, 1, r.manager.Status().Environments)
		assert.EqualValues(t, 2, r.manager.Status().Connections)
		r.close()
		assert.Equal(t, StateOff, r.manager.Status().State)
	})
}

func TestRule18TheListenerHearsEachStateInOrder(t *testing.T) {
	var states []State
	var manager *StreamManager
	inBubble(t, func(t *testing.T, r *rig) {
		manager = r.manager
		r.service.stream(eventText(PutEvent, put())).drop()
		r.service.stream(eventText(PutEvent, put()))
		r.close()
	}, WithStatusListener(func(s Status) {
		states = append(states, s.State)
		if s.State == StateOff {
			select {
			case <-manager.Done():
				t.Error("told after Done")
			default:
			}
			manager.Close() // any method may be called
			manager.Environments()
		}
	}))
	assert.Equal(t, []State{StateValid, StateInterrupted, StateValid, StateOff}, states)
}

func TestRule18NothingButCommentsForAWholeReadTimeout(t *testing.T) {
	const timeout = 10 * time.Second
	t.Run("before the put", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream("")
			for range 10 {
				e.send(": still here\n\n")
				time.Sleep(time.Second)
			}
			e.waitDropped(t)
			assert.Equal(t, timeout, time.Since(e.At))
			synctest.Wait()
			assert.Equal(t, ErrorKindTimeout, r.manager.Status().LastError.Kind)
		}, WithReadTimeout(timeout))
	})
	for name, comments := range map[string]string{"however many they are": ":\n:\n", "and one comment without an end": ":x"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream("")
				for !e.Dropped() && time.Since(e.At) <= timeout+time.Millisecond {
					_, _ = io.WriteString(e, comments)
					time.Sleep(time.Millisecond) // one comes at the very moment when the put is overdue
				}
				require.True(t, e.Dropped())
				synctest.Wait()
				assert.Equal(t, ErrorKindTimeout, r.manager.Status().LastError.Kind)
			}, WithReadTimeout(timeout))
		})
	}
	t.Run("before the put of a later connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.stream(eventText(PutEvent, put())).drop()
			e := r.service.stream("")
			for range 10 {
				e.send(": still here\n\n")
				time.Sleep(time.Second)
			}
			synctest.Wait()
			require.Error(t, e.Request.Context().Err())
		}, WithReadTimeout(timeout))
	})
	t.Run("while a key expires in between", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, expiring("a", "old", fromNow(5*time.Second)))))).drop()
			e := r.service.stream("")
			r.relay.on = func(call string) {
				if call == "keepalive slow" {
					time.Sleep(6 * time.Second)
				}
			}
			r.relay.take()
			e.send(": slow\n")
			time.Sleep(6 * time.Second)
			r.wants("keepalive slow", "expired a old")
			for range 10 {
				e.send(":\n")
				time.Sleep(time.Second)
			}
			synctest.Wait()
			require.Error(t, e.Request.Context().Err())
		}, WithReadTimeout(timeout))
	})
	t.Run("after the put is fine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put()))
			for range 100 {
				e.send(":\n")
				time.Sleep(time.Second)
			}
			require.NoError(t, e.Request.Context().Err())
		}, WithReadTimeout(timeout))
	})
	t.Run("a put that arrives slowly, with comments between, is fine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream("event: put\n")
			for _, line := range []string{`{"path":"/",`, `"data":{}`, `}`} {
				time.Sleep(timeout - 2)
				e.send(":\n")
				time.Sleep(time.Nanosecond)
				e.send("data: " + line + "\n")
			}
			e.send("\n")
			r.relay.take()
			r.wantState(StateValid)
			assert.EqualValues(t, 1, r.manager.Status().Connections)
		}, WithReadTimeout(timeout))
	})
}

func TestRule11KeysExpireByTheWallClockOfTheRunLoop(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(
			listedEnv("a", 1, expiring("a", "old", fromNow(10*time.Second))),
			listedEnv("b", 1, expiring("b", "old", fromNow(90*time.Minute))),
			listedEnv("c", 1, expiring("c", "old", fromNow(200*365*24*time.Hour))),
			listedEnv("d", 1, `"sdkKey":{"value":"k","expiring":{"value":"old","timestamp":18446744073709551615}}`),
			listedEnv("e", 1, expiring("e", "old", fromNow(-time.Second)))))) // in the past
		r.wants("add a", "add b", "add c", "add d", "add e", "all")
		assert.Len(t, r.manager.Environments()[0].AcceptedSDKKeys, 2)
		time.Sleep(10 * time.Second)
		r.wants("expired a old")
		assert.Len(t, r.manager.Environments()[0].AcceptedSDKKeys, 1)
		e.drop() // keys expire while there is no connection
		for {
			r.service.next().Refuse()
			if time.Since(e.At) > 100*time.Minute {
				break
			}
		}
		r.wants("expired b old")
	})
}

func TestRule09KeysExpireWhileThereIsNoConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const lifetime = 100 * time.Second
		at := fmt.Sprint(time.Now().Add(lifetime).UnixMilli())
		e := r.service.stream(eventText(PutEvent, put(
			listedEnv("a", 1, `"sdkKey":{"value":"sdk-a","expiring":{"value":"same","timestamp":`+at+`}}`),
			listedEnv("b", 1, `"sdkKey":{"value":"sdk-b","expiring":{"value":"same","timestamp":`+at+`}}`))))
		start := time.Now()
		r.wants("add a", "add b", "all")
		e.drop()
		r.relay.on = func(call string) {
			assert.Equal(t, lifetime, time.Since(start), call)
			assert.Equal(t, StateInterrupted, r.manager.Status().State, call)
		}
		for time.Since(start) < 2*lifetime {
			r.service.next().Refuse()
		}
		r.wants("expired a same", "expired b same") // rule 10: the same key in two environments, once in each
		assert.EqualValues(t, 1, r.manager.Status().Connections)
	})
}

func TestRule07MalformedDataKeepsTheStateAndReconnects(t *testing.T) {
	const secret = "sdk-secret-key-12345678"
	for name, bad := range map[string]string{
		"a patch that ends too soon":    eventText(PatchEvent, `{"path":"/environments/a","data":{"sdkKey":{"value":"`+secret+`"`),
		"a put with a text for a key":   eventText(PutEvent, `{"path":"/","data":{"environments":{"a":{"sdkKey":"`+secret+`"}}}}`),
		"a put over the size limit":     eventText(PutEvent, put(listedEnv("a", 1, `"envName":"`+string(make([]byte, 2000))+`"`))),
		"a line that is over the limit": "data: " + string(make([]byte, 2000)),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
				r.wants("add a", "all")
				go func() { _, _ = io.WriteString(e, bad) }()
				e.waitDropped(t)
				synctest.Wait()
				status := r.manager.Status()
				assert.Equal(t, ErrorKindInvalidData, status.LastError.Kind)
				assert.Equal(t, StateInterrupted, status.State)
				assert.Equal(t, 1, status.Environments)
				assert.NotContains(t, status.LastError.Message, secret)
				r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
				r.wants("add b", "all")
				for _, line := range r.log.GetAllOutput() {
					assert.NotContains(t, line.Message, secret)
				}
			}, WithMaxEventSize(1000))
		})
	}
}

func TestRule08MalformedKeysReconnectAfterTheRestWasApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, `"sdkKey":{"value":""}`), listedEnv("b", 1))))
		r.wants("add b", "all")
		require.Error(t, e.Request.Context().Err())
		assert.Equal(t, ErrorKindInvalidData, r.manager.Status().LastError.Kind)
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
		r.wants("add a", "all")
		r.wantState(StateValid)
	})
}

func TestRule08MalformedKeysAreLoggedAlsoByAManagerThatIsClosedMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.relay.on = func(call string) {
			if call == "all" {
				r.manager.Close()
			}
		}
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, `"sdkKey":{"value":""}`), listedEnv("b", 1))))
		<-r.manager.Done()
		assert.True(t, r.log.HasMessageMatch(ldlog.Warn, `environment "a" has a malformed set of keys`))
	})
}

func TestHandlerCallsComeOneAtATimeBetweenStartAndDone(t *testing.T) {
	var running, calls atomic.Int32
	var manager *StreamManager
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0)
		manager = r.manager
		r.relay.on = func(call string) {
			assert.EqualValues(t, 1, running.Add(1), call)
			calls.Add(1)
			time.Sleep(time.Second)
			select {
			case <-manager.Done():
				t.Error("after Done:", call)
			default:
			}
			running.Add(-1)
		}
		synctest.Wait()
		assert.Zero(t, calls.Load(), "before Start")
		manager.Start()
		e := r.service.stream("")
		go func() {
			for version := range 20 {
				_, _ = io.WriteString(e, ": hello\n"+
					eventText(PatchEvent, patchEnv("a", version, expiring("a", "old", fromNow(time.Duration(version+1)*time.Second)))))
			}
		}()
		time.Sleep(20 * time.Second)
		r.close()
		seen := calls.Load()
		assert.Greater(t, seen, int32(10))
		time.Sleep(time.Minute)
		assert.Equal(t, seen, calls.Load(), "after Done")
	})
}
