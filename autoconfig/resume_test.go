package autoconfig

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/stream"
)

// resumedEvent is how a hub begins a resumed stream: an event that changes nothing.
const resumedEvent = "event: patch\ndata: {\"path\":\"/relayconf/resumed\",\"data\":{}}\n\n"

// resumed is the header of a resumed stream.
var resumed = []string{stream.ResumedHeader, "true"}

// id is the request's Last-Event-ID; empty if there is none.
func (e *exchange) id() string { return e.Request.Header.Get("Last-Event-ID") }

// digestOf is the digest of environments at these versions, computed anew.
func digestOf(versions map[string]int) string {
	var d digest.Digest
	for id, version := range versions {
		d.Add(digest.Environment, id, version)
	}
	return d.String()
}

func TestResumeTheIDIsTheDigestOfTheKnownConfiguration(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("")
		assert.Empty(t, e.id(), "there is no configuration yet")
		e.send(eventText(PatchEvent, patchEnv("a", 1)))
		e.drop()
		e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 2))))
		assert.Empty(t, e.id(), "a patch is not a whole configuration")
		assert.Equal(t, digestOf(map[string]int{"a": 1, "b": 2}), r.manager.Status().Digest)
		e.send(eventText(PatchEvent, patchEnv("a", 7)) + eventText(DeleteEvent, deletion("/environments/b", 3)))
		want := digestOf(map[string]int{"a": 7})
		assert.Equal(t, want, r.manager.Status().Digest)
		e.drop()
		e = r.service.next()
		assert.Equal(t, want, e.id())
		e.Refuse()
		e = r.service.stream("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{" + listedEnv("c", 1))
		e.drop()
		assert.Equal(t, want, r.service.next().id(), "a put that was cut off has changed nothing")
	})
}

func TestResumeNeedsAConfigurationThatLacksNothing(t *testing.T) {
	const badKeys = `"sdkKey":{"value":""}`
	for _, test := range []struct {
		name, event string
		headers     []string
	}{
		{"malformed data", eventText(PatchEvent, `{"path":`), nil},
		{"a put that is malformed in the end", eventText(PutEvent, put(listedEnv("b", 1))+"}"), nil},
		{"malformed keys in a patch", eventText(PatchEvent, patchEnv("a", 2, badKeys)), nil},
		{"malformed keys in a put", eventText(PutEvent, put(listedEnv("a", 2, badKeys))), nil},
		{"an event over the size limit", "data: " + string(make([]byte, 5000)), nil},
		{"a damaged compressed stream", "this is not gzip", []string{"Content-Encoding", "gzip"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
				e := r.service.stream("", test.headers...)
				require.NotEmpty(t, e.id())
				_, _ = io.WriteString(e, test.event) // a rest may not be read
				synctest.Wait()
				require.True(t, e.Dropped())
				assert.Equal(t, ErrorKindInvalidData, r.manager.Status().LastError.Kind)
				e = r.service.stream("")
				assert.Empty(t, e.id())
				e.send(eventText(PatchEvent, patchEnv("c", 1)))
				e.drop()
				e = r.service.stream("")
				assert.Empty(t, e.id(), "only a put says what is lacking")
				e.send(eventText(PutEvent, put(listedEnv("a", 2))))
				e.drop()
				assert.Equal(t, digestOf(map[string]int{"a": 2}), r.service.next().id())
			}, WithMaxEventSize(4000))
		})
	}
}

func TestResumeNotAfterMalformedKeysWhenTheKeyIsChangedMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.relay.on = func(call string) {
			if call == "all" {
				r.manager.SetKey("rel-another-key")
			}
		}
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, `"sdkKey":{"value":""}`), listedEnv("b", 1))))
		assert.Empty(t, r.service.next().id())
	})
}

func TestRule19AResumedStreamsFirstEventCountsAsTheFirstPut(t *testing.T) {
	for _, test := range []struct {
		name, event string
		calls       []string
	}{
		{"the event that changes nothing", resumedEvent, nil},
		{"a change", eventText(PatchEvent, patchEnv("a", 2)), []string{"update a"}},
		{"a put", eventText(PutEvent, put(listedEnv("a", 2))), []string{"update a", "all"}},
		{"an unknown event", eventText("later", "{}"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
				r.wants("add a", "all")
				e := r.service.stream(": hello\n", resumed...)
				assert.True(t, r.manager.Status().Resumed)
				r.wants("keepalive hello")
				r.wantState(StateInterrupted)
				e.send(test.event)
				r.wantState(StateValid)
				assert.Equal(t, SourceStream, r.manager.Status().Source)
				r.wants(test.calls...)
				e.send(eventText(PatchEvent, patchEnv("a", 3)))
				r.wants("update a")
				time.Sleep(20 * time.Second)
				e.send(":\n")
				require.False(t, e.Dropped(), "no put is due any more")
				e.drop()
				e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 3))))
				assert.Equal(t, digestOf(map[string]int{"a": 3}), e.id())
				assert.False(t, r.manager.Status().Resumed)
			}, WithReadTimeout(30*time.Second))
		})
	}
	t.Run("a large put counts when it is whole", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
			text := largePut(t, 1)
			e := r.service.stream(text[:len(text)-10], resumed...)
			r.wantState(StateInterrupted)
			e.send(text[len(text)-10:])
			r.wantState(StateValid)
		})
	})
	t.Run("nothing but comments for a read timeout drops it", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
			e := r.service.stream("", resumed...)
			for range 10 {
				e.send(":\n")
				time.Sleep(time.Second)
			}
			synctest.Wait()
			assert.True(t, e.Dropped())
		}, WithReadTimeout(10*time.Second))
	})
	t.Run("the header means nothing if no id was sent", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(resumedEvent, resumed...)
			assert.False(t, r.manager.Status().Resumed)
			r.wantState(StateInitializing)
			assert.Equal(t, SourceNone, r.manager.Status().Source)
			e.send(eventText(PutEvent, put()))
			r.wantState(StateValid)
		})
	})
}

// storedWithTexts is a store with a snapshot that a manager has made: a at version 3, b at 1, and a tombstone of c.
func storedWithTexts(t *testing.T) *memory {
	t.Helper()
	m := &memory{}
	r := newRig(t, 0, WithStore(m))
	r.manager.Start()
	r.service.stream(eventText(PutEvent, put(listedEnv("a", 3, `"later":"x"`), listedEnv("b", 1), listedEnv("c", 1))) +
		eventText(DeleteEvent, deletion("/environments/c", 5)))
	r.close()
	require.Len(t, m.saved, 1)
	return &memory{stored: m.saved[0]}
}

func TestResumeFromASnapshotAfterARestart(t *testing.T) {
	withStore(t, storedWithTexts, func(t *testing.T, r *rig, m *memory) {
		want := digestOf(map[string]int{"a": 3, "b": 1})
		assert.Equal(t, want, m.stored.Digest)
		e := r.service.next()
		assert.Equal(t, want, e.id())
		r.wants("add a", "add b", "all")
		assert.Equal(t, SourceStore, r.manager.Status().Source)
		e.Stream(resumed...)
		synctest.Wait()
		assert.Equal(t, SourceStore, r.manager.Status().Source, "the service has yet to say something")
		e.send(resumedEvent)
		status := r.manager.Status()
		assert.Equal(t, StateValid, status.State)
		assert.Equal(t, SourceStream, status.Source)
		assert.Zero(t, status.SnapshotAge)
		r.wants()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, m.saves(), 1, "the service has confirmed it")
		assert.Equal(t, want, m.saves()[0].Digest)
	})
}

func TestResumeNotFromASnapshotThatLacksSomething(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Snapshot)
	}{
		{"made while a put was needed", func(s *Snapshot) { s.Digest = "" }},
		{"of another configuration", func(s *Snapshot) { s.Digest = digestOf(map[string]int{"a": 2}) }},
		{"of the format before texts", func(s *Snapshot) { s.Texts, s.Tombstones, s.Digest = nil, nil, "" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			prepare := func(t *testing.T) *memory {
				m := storedWithTexts(t)
				test.change(m.stored)
				return m
			}
			withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
				assert.Empty(t, r.service.next().id())
				r.wants("add a", "add b", "all")
			})
		})
	}
	t.Run("a put was needed when it was saved", func(t *testing.T) {
		withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			e.send(eventText(PatchEvent, `{`))
			r.close()
			require.Len(t, m.saves(), 1)
			assert.Empty(t, m.saves()[0].Digest)
		})
	})
}

func TestTheStoreHasAHeadStart(t *testing.T) {
	const most = 200 * time.Millisecond
	after := func(d time.Duration) func(t *testing.T) *memory {
		return func(t *testing.T) *memory { m := storedWithTexts(t); m.loadFor = d; return m }
	}
	t.Run("a store that is quick enough is waited for", func(t *testing.T) {
		withStore(t, after(most-1), func(t *testing.T, r *rig, m *memory) {
			start := time.Now()
			e := r.service.next()
			assert.Equal(t, most-1, e.after(start))
			assert.Equal(t, m.stored.Digest, e.id())
		})
	})
	t.Run("a slow one for 200 ms", func(t *testing.T) {
		withStore(t, after(time.Second), func(t *testing.T, r *rig, m *memory) {
			start := time.Now()
			e := r.service.next()
			assert.Equal(t, most, e.after(start))
			assert.Empty(t, e.id())
			time.Sleep(time.Second)
			e.Refuse()
			e = r.service.next()
			assert.Equal(t, m.stored.Digest, e.id(), "the next connection has it")
		})
	})
	t.Run("a failure or an empty store ends it", func(t *testing.T) {
		for _, m := range []*memory{{}, {loadErr: io.ErrUnexpectedEOF}, {stored: &Snapshot{FormatVersion: 99}}} {
			withStore(t, func(*testing.T) *memory { return m }, func(t *testing.T, r *rig, m *memory) {
				start := time.Now()
				assert.Zero(t, r.service.next().after(start))
			})
		}
	})
	t.Run("there is none without a store", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			start := time.Now()
			assert.Zero(t, r.service.next().after(start))
		})
	})
	t.Run("a slow handler does not lengthen it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0, WithStore(storedWithTexts(t)))
			r.relay.on = func(string) { time.Sleep(time.Hour) }
			start := time.Now()
			r.manager.Start()
			e := r.service.next()
			assert.Zero(t, e.after(start))
			assert.NotEmpty(t, e.id())
			r.close()
		})
	})
	t.Run("Close does not wait for it, and SetKey does not end it", func(t *testing.T) {
		withStore(t, after(time.Hour), func(t *testing.T, r *rig, m *memory) {
			synctest.Wait()
			start := time.Now()
			r.manager.SetKey("rel-another-key")
			e := r.service.next()
			assert.Equal(t, most, e.after(start), "the store still has its head start")
			assert.Equal(t, config.AutoConfigKey("rel-another-key"), config.AutoConfigKey(e.Request.Header.Get("Authorization")))
		})
		withStore(t, after(time.Hour), func(t *testing.T, r *rig, m *memory) {
			synctest.Wait()
			start := time.Now()
			r.close()
			assert.Zero(t, time.Since(start))
		})
	})
}
