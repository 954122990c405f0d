package autoconfig

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

// asStored is a snapshot as a store gives it back: through JSON.
func asStored(t *testing.T, s *Snapshot) *Snapshot {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var stored Snapshot
	require.NoError(t, json.Unmarshal(text, &stored))
	return &stored
}

// restarted is a store with the snapshot that a manager made of these events.
func restarted(t *testing.T, events string) *memory {
	t.Helper()
	m := &memory{}
	r := newRig(t, 0, WithStore(m), WithProtocolVersion(2))
	r.manager.Start()
	r.service.stream(events)
	r.close()
	require.Len(t, m.saved, 1)
	return &memory{stored: asStored(t, m.saved[0])}
}

func TestTextsSurviveARestart(t *testing.T) {
	const later = `"later":{"deep":[1,{"x":null}],"html":"<&>"}`
	events := eventText(PutEvent, putWith([]string{listedEnv("a", 1, later), listedEnv("b", 1)}, []string{member("f", filter("f", 1))})) +
		eventText(PatchEvent, patchEnv("b", 2, later)) + eventText(DeleteEvent, deletion("/filters/g", 4))
	prepare := func(t *testing.T) *memory {
		m := restarted(t, events)
		assert.Equal(t, map[config.EnvironmentID]string{"a": env("a", 1, later), "b": env("b", 2, later)}, m.stored.Texts.Environments)
		assert.Equal(t, map[config.FilterID]string{"f": filter("f", 1)}, m.stored.Texts.Filters)
		assert.Equal(t, map[config.FilterID]int{"g": 4}, m.stored.Tombstones.Filters)
		m.loadFor = time.Millisecond
		return m
	}
	withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
		texts := r.relay.keepTexts()
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Equal(t, map[string]string{"a": env("a", 1, later), "b": env("b", 2, later), "f": filter("f", 1), "g": ""}, texts)
		// The next snapshot has them, too, and the tombstone, though the stream has said nothing of either.
		r.service.stream(resumedEvent, resumed...)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.NotEmpty(t, m.saves())
		saved := asStored(t, m.saves()[0])
		assert.Equal(t, m.stored.Texts, saved.Texts)
		assert.Equal(t, m.stored.Tombstones, saved.Tombstones)
		assert.Equal(t, m.stored.Digest, saved.Digest)
		assert.NotEmpty(t, saved.Digest)
	}, WithProtocolVersion(2))
}

func TestTombstonesSurviveARestart(t *testing.T) {
	events := eventText(PutEvent, put(listedEnv("a", 1), listedEnv("b", 1))) +
		eventText(DeleteEvent, deletion("/environments/b", 5)) + eventText(DeleteEvent, deletion("/environments/never-seen", 7))
	withStore(t, func(t *testing.T) *memory { return restarted(t, events) }, func(t *testing.T, r *rig, m *memory) {
		r.wants("add a", "all")
		e := r.service.stream(resumedEvent, resumed...)
		e.send(eventText(PatchEvent, patchEnv("b", 5)) + eventText(PatchEvent, patchEnv("never-seen", 7)))
		r.wants()
		e.send(eventText(PatchEvent, patchEnv("b", 6)) + eventText(PatchEvent, patchEnv("never-seen", 8)))
		r.wants("add b", "add never-seen")
	})
}

// An upgrade brings a member that the version before did not know. The put has it at the version that was stored.
func TestAnUpgradeThatStartsFromACacheHasANewMember(t *testing.T) {
	const newMember = `"defaultTtl":5`
	received := eventText(PutEvent, put(listedEnv("a", 1, newMember), listedEnv("b", 1)))
	ttl := func(r *rig) time.Duration { return r.manager.Environments()[0].TTL }
	// beforeTTL is a snapshot of a version that did not know defaultTtl.
	beforeTTL := func(t *testing.T) *memory {
		m := restarted(t, received)
		rep := m.stored.Environments["a"]
		require.Equal(t, 5, rep.DefaultTTL)
		rep.DefaultTTL = 0
		m.stored.Environments["a"] = rep
		return m
	}
	t.Run("with texts it is there at once", func(t *testing.T) {
		withStore(t, beforeTTL, func(t *testing.T, r *rig, m *memory) {
			r.wants("add a", "add b", "all")
			assert.Equal(t, 5*time.Minute, ttl(r))
			r.service.stream(received)
			r.wants("all")
		})
	})
	beforeTexts := func(t *testing.T) *memory {
		m := beforeTTL(t)
		m.stored.Texts, m.stored.Tombstones, m.stored.Digest = nil, nil, ""
		return m
	}
	t.Run("without texts the put leads to one update", func(t *testing.T) {
		withStore(t, beforeTexts, func(t *testing.T, r *rig, m *memory) {
			r.wants("add a", "add b", "all")
			assert.Zero(t, ttl(r))
			e := r.service.stream(received)
			r.wants("update a", "all")
			assert.Equal(t, 5*time.Minute, ttl(r))
			e.send(received)
			r.wants("all")
			time.Sleep(time.Minute)
			synctest.Wait()
			require.NotEmpty(t, m.saves())
			assert.Equal(t, env("a", 1, newMember), m.saves()[0].Texts.Environments["a"])
			assert.Equal(t, env("b", 1), m.saves()[0].Texts.Environments["b"])
		})
	})
	t.Run("without texts, and a newer version: one update as ever", func(t *testing.T) {
		withStore(t, beforeTexts, func(t *testing.T, r *rig, m *memory) {
			r.wants("add a", "add b", "all")
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 2, newMember), listedEnv("b", 1))))
			r.wants("update a", "all")
		})
	})
	t.Run("a text that was received is not updated by another at the same version", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			e.send(eventText(PutEvent, put(listedEnv("a", 1, newMember))))
			r.wants("add a", "all", "all")
			assert.Zero(t, ttl(r))
		})
	})
}

func TestASnapshotWithADamagedTextIsLeftOut(t *testing.T) {
	prepare := func(t *testing.T) *memory {
		m := restarted(t, eventText(PutEvent, put(listedEnv("a", 1))))
		m.stored.Texts.Environments["a"] = `{"envID":"a","sdkKey":"sdk-secret-0001"}`
		return m
	}
	withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
		r.wants()
		status := r.manager.Status()
		assert.EqualValues(t, 1, status.StoreFailures)
		assert.Equal(t, SourceNone, status.Source)
		for _, line := range r.log.GetAllOutput() {
			assert.NotContains(t, line.Message, "sdk-secret")
		}
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
	})
}

func TestFilters(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		assert.Empty(t, r.manager.Filters())
		e := r.service.stream(eventText(PutEvent, putWith(nil, []string{member("p.z", filter("z", 1)), member("p.a", filter("a", 1))})))
		e.send(eventText(PatchEvent, patchFilter("m", 1)) + eventText(DeleteEvent, deletion("/filters/p.z", 2)) + eventText(DeleteEvent, deletion("/filters/unseen", 2)))
		filters := r.manager.Filters()
		require.Len(t, filters, 2, "tombstones are none")
		assert.Equal(t, config.FilterID("m"), filters[0].ID, "sorted by id")
		assert.Equal(t, config.FilterID("p.a"), filters[1].ID)
		assert.Equal(t, config.FilterKey("a"), filters[1].Key)
		assert.Equal(t, "p", filters[1].ProjKey)
		e.send(eventText(PutEvent, put()))
		assert.Empty(t, r.manager.Filters())
	}, WithProtocolVersion(2))
}
