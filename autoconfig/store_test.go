package autoconfig

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// memory is a store that a test can make slow or break.
type memory struct {
	stored           *Snapshot
	loadErr, saveErr error
	loadFor, saveFor time.Duration // how long a call takes
	deaf             bool          // a slow call does not heed its context

	mu    sync.Mutex
	saved []*Snapshot
	times []time.Time // of the calls of Save, those that failed included
}

// saves returns what was saved, and saveTimes when that was tried.
func (m *memory) saves() []*Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saved
}

func (m *memory) saveTimes() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.times
}

func (m *memory) failSaves(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saveErr = err
}

func (m *memory) Load(ctx context.Context) (*Snapshot, error) {
	if err := m.take(ctx, m.loadFor); err != nil {
		return nil, err
	}
	return m.stored, m.loadErr
}

func (m *memory) Save(ctx context.Context, s *Snapshot) error {
	if err := m.take(ctx, m.saveFor); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = append(m.times, time.Now())
	if m.saveErr == nil {
		m.saved = append(m.saved, s)
	}
	return m.saveErr
}

func (m *memory) take(ctx context.Context, d time.Duration) error {
	if m.deaf {
		time.Sleep(d)
		return nil
	}
	// A timer that is due at once makes Go 1.26 crash at times, under the race detector in a bubble of testing/synctest: two
	// goroutines that run such timers at the same moment share what the detector knows of one.
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// snapshot is one of environments as the helpers of the state's tests write them, an hour old.
func snapshotOf(t *testing.T, environments ...string) *Snapshot {
	t.Helper()
	s := &Snapshot{
		FormatVersion: SnapshotFormat, SavedAt: time.Now().Add(-time.Hour),
		Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{},
		Filters:      map[config.FilterID]envfactory.FilterRep{"f": {ProjKey: "p", FilterKey: "f", Version: 1}},
	}
	for _, text := range environments {
		var rep envfactory.EnvironmentRep
		require.NoError(t, json.Unmarshal([]byte(text), &rep))
		s.Environments[rep.EnvID] = rep
	}
	return s
}

// withStore is inBubble with a manager that has the store that prepare makes.
func withStore(t *testing.T, prepare func(t *testing.T) *memory, test func(t *testing.T, r *rig, m *memory), options ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := prepare(t)
		r := newRig(t, 0, append(options, WithStore(m))...)
		r.ready = r.manager.Start()
		defer r.close()
		test(t, r, m)
	})
}

func storedAB(t *testing.T) *memory { return &memory{stored: snapshotOf(t, env("b", 1), env("a", 1))} }

func empty(*testing.T) *memory { return &memory{} }

func TestStoreStartsTheRelayWithoutTheService(t *testing.T) {
	withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
		e := r.service.next()
		r.wants("add a", "add b", "add filter f", "all")
		status := r.manager.Status()
		assert.Equal(t, StateInitializing, status.State, "until the stream has delivered")
		assert.Equal(t, SourceStore, status.Source)
		assert.Equal(t, time.Hour, status.SnapshotAge)
		assert.Equal(t, 2, status.Environments)
		assert.Empty(t, r.ready)
		e.Refuse()

		e = r.service.stream("")
		require.NoError(t, <-r.ready)
		assert.Equal(t, SourceStore, r.manager.Status().Source)
		e.send(eventText(PutEvent, putWith([]string{listedEnv("a", 2), listedEnv("c", 1)}, []string{member("f", filter("f", 1))})))
		r.wants("update a", "add c", "delete b", "all") // what is the same is not mentioned
		status = r.manager.Status()
		assert.Equal(t, StateValid, status.State)
		assert.Equal(t, SourceStream, status.Source)
		assert.Zero(t, status.SnapshotAge)
	})
}

func TestStoreAPutThatArrivesFirstMakesALateLoadVoid(t *testing.T) {
	late := func(t *testing.T) *memory {
		m := storedAB(t)
		m.loadFor = time.Second
		return m
	}
	withStore(t, late, func(t *testing.T, r *rig, m *memory) {
		r.service.stream(eventText(PutEvent, put(listedEnv("c", 1))))
		r.wants("add c", "all")
		time.Sleep(2 * time.Second)
		r.wants()
		assert.Equal(t, SourceStream, r.manager.Status().Source)
	})
	withStore(t, late, func(t *testing.T, r *rig, m *memory) {
		r.service.stream("")
		time.Sleep(2 * time.Second)
		r.wants("add a", "add b", "add filter f", "all")
	})
}

func TestStoreExpiringKeysOfASnapshot(t *testing.T) {
	prepare := func(t *testing.T) *memory {
		return &memory{stored: snapshotOf(t,
			env("a", 1, expiring("a", "old", fromNow(10*time.Second))),
			env("b", 1, expiring("b", "gone", fromNow(-time.Second))))}
	}
	withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
		r.wants("add a", "add b", "add filter f", "all")
		environments := r.manager.Environments()
		assert.Len(t, environments[0].AcceptedSDKKeys, 2)
		assert.Len(t, environments[1].AcceptedSDKKeys, 1)
		time.Sleep(10 * time.Second)
		r.wants("expired a old")
	})
}

func TestStoreSavesTheNewestSoonAfterAChange(t *testing.T) {
	withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
		start := time.Now()
		e := r.service.stream(eventText(PutEvent, putWith([]string{listedEnv("a", 1)}, []string{member("f", filter("f", 7))})))
		for version := 2; version < 10; version++ {
			e.send(eventText(PatchEvent, patchEnv("a", version)))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, m.saves(), 1, "changes that come together are saved together")
		assert.Equal(t, saveDelay, m.saveTimes()[0].Sub(start))
		saved := m.saves()[0]
		assert.Equal(t, SnapshotFormat, saved.FormatVersion)
		assert.True(t, saved.SavedAt.Equal(m.saveTimes()[0]))
		assert.Equal(t, 9, saved.Environments["a"].Version)
		assert.Equal(t, 7, saved.Filters["f"].Version)

		e.send(eventText(PatchEvent, patchEnv("a", 9)) + eventText(DeleteEvent, deletion("/environments/a", 9)))
		time.Sleep(time.Minute)
		assert.Len(t, m.saves(), 1, "nothing has changed")
		e.send(eventText(DeleteEvent, deletion("/environments/a", 10)))
		time.Sleep(time.Minute)
		require.Len(t, m.saves(), 2)
		assert.Empty(t, m.saves()[1].Environments)
		assert.Equal(t, map[config.EnvironmentID]int{"a": 10}, m.saves()[1].Tombstones.Environments)
	})
}

func TestStoreIsWrittenOnceTheStreamHasConfirmedIt(t *testing.T) {
	withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
		same := eventText(PutEvent, putWith([]string{listedEnv("a", 1), listedEnv("b", 1)}, []string{member("f", filter("f", 1))}))
		r.wants("add a", "add b", "add filter f", "all")
		time.Sleep(time.Minute)
		assert.Empty(t, m.saves(), "what was loaded is there already")
		e := r.service.stream(same)
		time.Sleep(time.Minute)
		require.Len(t, m.saves(), 1, "the key may be another than that of the process before")
		assert.Len(t, m.saves()[0].Environments, 2)
		assert.True(t, m.saves()[0].SavedAt.After(m.stored.SavedAt))
		e.send(keepalive)
		time.Sleep(time.Minute)
		assert.Len(t, m.saves(), 1, "it is there now")
	})
}

func TestStoreIsNotWrittenWithWhatItHas(t *testing.T) {
	withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
		e := r.service.stream(eventText(PatchEvent, patchEnv("a", 1)))
		time.Sleep(time.Minute)
		assert.Empty(t, m.saves(), "a patch alone is not the whole configuration")
		e.send(eventText(PutEvent, put(listedEnv("a", 1))))
		time.Sleep(time.Minute)
		assert.Len(t, m.saves(), 1)
	})
	withStore(t, func(t *testing.T) *memory { m := storedAB(t); m.loadFor = time.Hour; return m }, func(t *testing.T, r *rig, m *memory) {
		r.service.stream(eventText(PutEvent, put()))
		time.Sleep(time.Minute)
		require.Len(t, m.saves(), 1, "an empty put replaces what was stored")
		assert.Empty(t, m.saves()[0].Environments)
	})
}

func TestStoreFailuresAreCountedAndRetried(t *testing.T) {
	broken := func(*testing.T) *memory {
		return &memory{loadErr: errors.New("no disk"), saveErr: errors.New("disk full")}
	}
	withStore(t, broken, func(t *testing.T, r *rig, m *memory) {
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		assert.EqualValues(t, 1, r.manager.Status().StoreFailures)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		var waits []time.Duration
		for i := 1; i < len(m.saveTimes()); i++ {
			waits = append(waits, m.saveTimes()[i].Sub(m.saveTimes()[i-1]))
		}
		assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, waits)
		assert.EqualValues(t, 4, r.manager.Status().StoreFailures)
		m.failSaves(nil)
		time.Sleep(time.Minute)
		assert.Len(t, m.saves(), 1)
		assert.Equal(t, StateValid, r.manager.Status().State)
	})
	future := func(t *testing.T) *memory { m := storedAB(t); m.stored.FormatVersion = 99; return m }
	withStore(t, future, func(t *testing.T, r *rig, m *memory) {
		r.wants()
		assert.EqualValues(t, 1, r.manager.Status().StoreFailures)
		assert.Equal(t, SourceNone, r.manager.Status().Source)
	})
}

func TestStoreNeverDelaysAnEvent(t *testing.T) {
	slow := func(*testing.T) *memory { return &memory{loadFor: time.Hour, saveFor: 10 * time.Second, deaf: true} }
	withStore(t, slow, func(t *testing.T, r *rig, m *memory) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		time.Sleep(time.Second) // a save is under way
		start := time.Now()
		for version := 2; version < 100; version++ {
			e.send(eventText(PatchEvent, patchEnv("a", version)))
		}
		assert.Zero(t, time.Since(start))
		r.relay.take()
		time.Sleep(2 * time.Hour)
		require.Len(t, m.saves(), 2, "one at a time, and of the newest")
		assert.Equal(t, 99, m.saves()[1].Environments["a"].Version)
		assert.GreaterOrEqual(t, m.saveTimes()[1].Sub(m.saveTimes()[0]), 50*time.Second, "a slow store is written less often")
	})
}

func TestStoreAtTheEnd(t *testing.T) {
	ends := func(t *testing.T, r *rig) time.Duration {
		start := time.Now()
		r.close()
		return time.Since(start)
	}
	t.Run("what has changed is saved at once", func(t *testing.T) {
		withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			assert.Zero(t, ends(t, r))
			assert.Len(t, m.saves(), 1)
		})
	})
	t.Run("also when it is closed inside a handler's call", func(t *testing.T) {
		withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
			r.relay.on = func(string) { r.manager.Close() }
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			<-r.manager.Done()
			assert.Len(t, m.saves(), 1)
		})
	})
	t.Run("nothing is saved that was saved", func(t *testing.T) {
		withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
			synctest.Wait()
			assert.Zero(t, ends(t, r))
			assert.Empty(t, m.saves())
		})
	})
	t.Run("a store that hangs holds it up for 5 s at most", func(t *testing.T) {
		for _, deaf := range []bool{false, true} {
			hangs := func(*testing.T) *memory { return &memory{saveFor: 30 * time.Second, deaf: deaf} }
			withStore(t, hangs, func(t *testing.T, r *rig, m *memory) {
				r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
				assert.Equal(t, 5*time.Second, ends(t, r))
				assert.EqualValues(t, 1, r.manager.Status().StoreFailures)
				time.Sleep(time.Minute) // the one that was left behind
			})
		}
	})
	t.Run("a load that hangs does not hold it up", func(t *testing.T) {
		withStore(t, func(*testing.T) *memory { return &memory{loadFor: 30 * time.Second, deaf: true} }, func(t *testing.T, r *rig, m *memory) {
			r.service.next()
			assert.Zero(t, ends(t, r))
			time.Sleep(time.Minute)
		})
	})
	t.Run("a load that has failed is reported even if nobody has asked yet", func(t *testing.T) {
		broken := func(*testing.T) *memory { return &memory{loadFor: time.Second / 2, loadErr: errors.New("set aside")} }
		withStore(t, broken, func(t *testing.T, r *rig, m *memory) {
			r.relay.on = func(string) { time.Sleep(time.Second) }
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			time.Sleep(3 * time.Second / 4) // the load has failed while the handler is busy
			r.close()
			assert.EqualValues(t, 1, r.manager.Status().StoreFailures)
		})
	})
	t.Run("a save that fails at the end is not tried again", func(t *testing.T) {
		withStore(t, func(*testing.T) *memory { return &memory{saveErr: errors.New("disk full")} }, func(t *testing.T, r *rig, m *memory) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			assert.Zero(t, ends(t, r))
			assert.Len(t, m.saveTimes(), 1)
		})
	})
}

func TestStoreARejectedKeyLeavesTheRelayServing(t *testing.T) {
	t.Run("the store is slower than the rejection", func(t *testing.T) {
		late := func(t *testing.T) *memory { m := storedAB(t); m.loadFor = time.Second; return m }
		withStore(t, late, func(t *testing.T, r *rig, m *memory) {
			r.service.next().Answer(401)
			require.ErrorIs(t, <-r.ready, ErrInvalidKey)
			<-r.manager.Done()
			r.wants("add a", "add b", "add filter f", "all")
			status := r.manager.Status()
			assert.Equal(t, StateOff, status.State)
			assert.Equal(t, SourceStore, status.Source)
			assert.Len(t, r.manager.Environments(), 2)
		})
	})
	t.Run("a store that hangs does not keep the end back for long", func(t *testing.T) {
		hangs := func(*testing.T) *memory { return &memory{loadFor: time.Hour} }
		withStore(t, hangs, func(t *testing.T, r *rig, m *memory) {
			r.service.next().Answer(401)
			start := time.Now()
			<-r.manager.Done()
			assert.Equal(t, 5*time.Second, time.Since(start))
			r.manager.Close()
		})
	})
	t.Run("with retries", func(t *testing.T) {
		withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
			r.service.next().Answer(401)
			r.wants("add a", "add b", "add filter f", "all")
			require.NoError(t, r.manager.Err())
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
			r.wants("delete b", "delete filter f", "all")
		}, WithRejectedKeyRetry())
	})
}

func TestStoreTellsTheStatusListenerBeforeTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		r := newRig(t, 0, WithStore(storedAB(t)), WithStatusListener(func(s Status) {
			if s.State != StateOff {
				told = append(told, "source "+string(s.Source))
			}
		}))
		r.relay.on = func(call string) { told = append(told, call) }
		r.ready = r.manager.Start()
		defer r.close()
		r.service.next()
		r.wants("add a", "add b", "add filter f", "all")
		assert.Equal(t, []string{"source STORE", "add a", "add b", "add filter f", "all"}, told)
	})
}
