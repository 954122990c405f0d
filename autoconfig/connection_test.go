package autoconfig

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestRule12Request(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		request := r.service.next().Request
		assert.Equal(t, http.MethodGet, request.Method)
		assert.Equal(t, "https://example.com/relay_auto_config?rpacProtocolVersion=2", request.URL.String())
		assert.Equal(t, http.Header{
			"Authorization": {string(testKey)}, "Accept": {"text/event-stream"}, "Cache-Control": {"no-cache"}, "Accept-Encoding": {"gzip"},
			"Relayconf-Instance": {r.manager.Instance()},
		}, request.Header)
	}, WithProtocolVersion(2))
}

func TestRule12ABadURIIsAPermanentFailure(t *testing.T) {
	for name, base := range map[string]string{
		"empty": "", "no scheme": "example.com", "another scheme": "ftp://example.com", "no host": "http://", "no host but a path": "http:///path",
		"a space, and a password": "http://user:secret-password@exa mple.com", "an empty scheme": "://x",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0)
				m := NewStreamManager(testKey, base, r.relay, httpconfig.HTTPConfig{}, 0, r.log.Loggers)
				err := <-m.Start()
				require.Error(t, err, base)
				assert.Contains(t, err.Error(), "stream URI")
				assert.NotContains(t, err.Error(), "secret-password")
				<-m.Done()
				assert.Equal(t, err, m.Err())
				assert.Equal(t, StateOff, m.Status().State)
				r.manager.Close()
			})
		})
	}
}

func TestRule13ConnectedMeansStatus200AndAnEventStream(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  int
		headers []string
		message string
	}{
		{"HTML", 200, []string{"Content-Type", "text/html"}, `content type "text/html"`},
		{"no content type", 200, nil, `content type ""`},
		{"compressed in another way than gzip", 200, []string{"Content-Type", "text/event-stream", "Content-Encoding", "br"}, `content encoding "br"`},
		{"no content", 204, []string{"Content-Type", "text/event-stream"}, "204 No Content"},
		{"server error", 503, nil, "503 Service Unavailable"},
		{"unknown status", 799, nil, "status 799"},
		{"not modified", 304, nil, "304"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.next().Answer(test.status, test.headers...)
				e := r.service.next()
				status := r.manager.Status()
				require.NotNil(t, status.LastError)
				assert.Equal(t, ErrorKindResponse, status.LastError.Kind)
				assert.Equal(t, test.status, status.LastError.StatusCode)
				assert.Contains(t, status.LastError.Message, test.message)
				assert.Zero(t, status.Connections)
				assert.Equal(t, StateInitializing, status.State)
				assert.Less(t, e.after(status.LastError.Time), 30*time.Second, "it is retried on the fast schedule")
				assert.Empty(t, r.ready)
			})
		})
	}
}

func TestRule14ARejectedKeyIsFinal(t *testing.T) {
	for _, status := range []int{401, 403} {
		t.Run(fmt.Sprintf("%d at first", status), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.next().Answer(status)
				r.wantState(StateOff)
				err := <-r.ready
				require.ErrorIs(t, err, ErrInvalidKey)
				<-r.manager.Done()
				assert.Equal(t, err, r.manager.Err())
				assert.Contains(t, err.Error(), http.StatusText(status))
				assert.Equal(t, StateOff, r.manager.Status().State)
				assert.Equal(t, status, r.manager.Status().LastError.StatusCode)
			})
		})
		t.Run(fmt.Sprintf("%d on a reconnect", status), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
				require.NoError(t, <-r.ready)
				r.service.next().Answer(status)
				r.wantState(StateOff)
				<-r.manager.Done()
				require.ErrorIs(t, r.manager.Err(), ErrInvalidKey)
				assert.Equal(t, StateOff, r.manager.Status().State)
				assert.Len(t, r.manager.Environments(), 1, "what was known can still be asked")
				assert.Empty(t, r.ready)
			})
		})
	}
}

func TestRule14AKeyThatCannotBeSentIsInvalid(t *testing.T) {
	for name, key := range map[string]string{"empty": "", "a space": "with space", "a line break": "with\nnewline", "not ASCII": "nön-ascii"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0)
				m := NewStreamManager(config.AutoConfigKey(key), "http://example.com", r.relay, httpconfig.HTTPConfig{}, 0, r.log.Loggers)
				err := <-m.Start()
				require.ErrorIs(t, err, ErrInvalidKey)
				<-m.Done()
				r.manager.Close()
			})
		})
	}
}

func TestRule14ARejectedKeyIsRetriedSlowlyByChoice(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		start := time.Now()
		r.service.next().Answer(401)
		second := r.service.next()
		assert.GreaterOrEqual(t, second.after(start), 150*time.Second)
		assert.LessOrEqual(t, second.after(start), 300*time.Second)
		second.Answer(403)
		r.service.stream("")
		require.NoError(t, <-r.ready)
	}, WithRejectedKeyRetry())
}

func TestRule17SetKeyReconnectsAtOnceAndKeepsTheState(t *testing.T) {
	const newKey = config.AutoConfigKey("rel-test-key-0002")
	first := eventText(PutEvent, put(listedEnv("a", 1)))
	check := func(t *testing.T, r *rig, start time.Time) {
		e := r.service.next()
		assert.Zero(t, e.after(start), "without a delay")
		assert.Equal(t, string(newKey), e.Request.Header.Get("Authorization"))
	}
	t.Run("while it reads", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(first)
			r.wants("add a", "all")
			r.manager.SetKey(newKey)
			synctest.Wait()
			assert.Error(t, e.Request.Context().Err(), "the old connection is dropped")
			assert.Equal(t, StateInterrupted, r.manager.Status().State)
			e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
			assert.Equal(t, string(newKey), e.Request.Header.Get("Authorization"))
			r.wants("add b", "all")
			r.wantState(StateValid)
		})
	})
	t.Run("while it dials", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.next()
			start := time.Now()
			r.manager.SetKey(newKey)
			check(t, r, start)
		})
	})
	t.Run("while it waits to retry", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.next().Answer(401)
			synctest.Wait()
			start := time.Now()
			r.manager.SetKey(newKey)
			check(t, r, start)
		}, WithRejectedKeyRetry())
	})
	t.Run("while the rejection of the old key waits for a slow handler", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0, WithStore(storedAB(t)))
			r.relay.on = func(call string) {
				if call == "add a" {
					time.Sleep(time.Minute)
				}
			}
			start := time.Now()
			r.manager.Start()
			defer r.close()
			r.service.next().Answer(401)
			synctest.Wait()
			r.manager.SetKey(newKey)
			e := r.service.next()
			assert.Equal(t, time.Minute, e.after(start))
			assert.Equal(t, string(newKey), e.Request.Header.Get("Authorization"))
		})
	})
	t.Run("inside a handler's call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(call string) {
				if call == "add a" {
					r.manager.SetKey(newKey)
				}
			}
			start := time.Now()
			r.service.stream(first)
			check(t, r, start)
			r.wants("add a", "all") // what was applied is told in full
		})
	})
	t.Run("a rejection of the old key that comes too late does not count", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.next()
			start := time.Now()
			r.manager.SetKey(newKey)
			e.Answer(401)
			check(t, r, start)
			require.NoError(t, r.manager.Err())
		})
	})
	t.Run("before Start, and the same key again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0)
			r.manager.SetKey(newKey)
			r.manager.Start()
			e := r.service.stream(first)
			assert.Equal(t, string(newKey), e.Request.Header.Get("Authorization"))
			r.manager.SetKey(newKey)
			synctest.Wait()
			require.NoError(t, e.Request.Context().Err())
			r.close()
			r.manager.SetKey(testKey) // of no effect after the end
		})
	})
}

func TestRule17CloseTakesEffectAtOnce(t *testing.T) {
	ends := func(t *testing.T, r *rig) {
		t.Helper()
		start := time.Now()
		r.manager.Close()
		<-r.manager.Done()
		assert.Zero(t, time.Since(start), "without waiting for anything")
		require.Equal(t, ErrClosed, r.manager.Err())
		assert.Equal(t, StateOff, r.manager.Status().State)
		r.manager.Close()
	}
	t.Run("before Start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0)
			ends(t, r)
			require.Equal(t, ErrClosed, <-r.manager.Start())
		})
	})
	t.Run("while it dials", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.next()
			ends(t, r)
			require.Equal(t, ErrClosed, <-r.ready)
		})
	})
	t.Run("while it waits to retry", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.next().Refuse()
			synctest.Wait()
			ends(t, r)
			require.Equal(t, ErrClosed, <-r.ready)
		})
	})
	t.Run("while it reads", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream("event: put\nda")
			ends(t, r)
			assert.Error(t, e.Request.Context().Err())
			require.NoError(t, <-r.ready)
			assert.Empty(t, r.ready, "the channel holds one value")
		})
	})
	t.Run("inside a handler's call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(string) { r.manager.Close() }
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
			<-r.manager.Done()
			r.wants("add a") // and no more calls after it
		})
	})
	t.Run("during a slow handler's call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.relay.on = func(string) { time.Sleep(time.Hour) }
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))))
			r.manager.Close()
			synctest.Wait()
			assert.Error(t, e.Request.Context().Err(), "the connection is dropped at once")
			<-r.manager.Done()
			r.wants("add a")
		})
	})
}

func TestStartTwiceReturnsTheSameChannel(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		assert.Equal(t, r.ready, r.manager.Start())
		r.service.stream("")
		require.NoError(t, <-r.ready)
	})
}

func TestTheFirstConnectionIsReportedHoweverLongItTakes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for range 20 {
			r.service.next().Refuse()
		}
		assert.Empty(t, r.ready)
		assert.Equal(t, StateInitializing, r.manager.Status().State)
		assert.Equal(t, ErrorKindNetwork, r.manager.Status().LastError.Kind)
		r.service.stream("")
		require.NoError(t, <-r.ready)
		require.NoError(t, r.manager.Err(), "it runs")
	})
}
