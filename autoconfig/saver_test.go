package autoconfig

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

const keepalive = ":keepalive\n"

func TestStoreThatHasLostItsSnapshotGetsItWithTheNextPut(t *testing.T) {
	same := eventText(PutEvent, put(listedEnv("a", 1)))
	withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
		e := r.service.stream(same)
		time.Sleep(time.Minute)
		require.Len(t, m.saves(), 1)
		for n := 2; n < 10; n++ {
			e.drop() // meanwhile the store was emptied
			e = r.service.stream(same)
			start := time.Now()
			time.Sleep(time.Minute)
			require.Len(t, m.saves(), n)
			delay := m.saveTimes()[n-1].Sub(start)
			assert.GreaterOrEqual(t, delay, saveDelay)
			assert.LessOrEqual(t, delay, maxConfirmDelay)
			assert.Len(t, m.saves()[n-1].Environments, 1)
		}
	})
}

func TestStoreIsRefreshedHourlyWhileTheServiceConfirmsTheConfiguration(t *testing.T) {
	withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		for range 12 * 60 {
			time.Sleep(time.Minute)
			e.send(keepalive)
		}
		times := m.saveTimes()
		require.GreaterOrEqual(t, len(times), 1+12*60/50)
		for i, at := range times[1:] {
			assert.GreaterOrEqual(t, at.Sub(times[i]), minRefresh)
			assert.LessOrEqual(t, at.Sub(times[i]), maxRefresh)
			assert.LessOrEqual(t, at.Sub(m.saves()[i+1].LastConfirmed()), time.Minute, "confirmed by the last keepalive")
		}
	})
}

func TestStoreIsNotRefreshedWithWhatTheServiceDoesNotConfirm(t *testing.T) {
	t.Run("the line is lost", func(t *testing.T) {
		withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
			r.service.stream(eventText(PutEvent, put(listedEnv("a", 1)))).drop()
			confirmed := time.Now()
			for range 12 {
				r.service.next().Answer(404)
			}
			require.Len(t, m.saves(), 1)
			assert.True(t, m.saves()[0].ConfirmedAt.Equal(confirmed), "when the last byte came")
		})
	})
	t.Run("it was only loaded", func(t *testing.T) {
		withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
			for range 12 {
				r.service.next().Answer(404)
			}
			require.Empty(t, m.saves())
		})
	})
}

func TestStoreSnapshotSaysWhenTheServiceLastConfirmedIt(t *testing.T) {
	withStore(t, empty, func(t *testing.T, r *rig, m *memory) {
		confirmed := func(want time.Time) {
			t.Helper()
			synctest.Wait()
			assert.Equal(t, want.UTC(), r.manager.snapshot().ConfirmedAt)
		}
		start := time.Now()
		at := func(d time.Duration) time.Time { return start.Add(d) }
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		confirmed(start)
		time.Sleep(time.Minute)
		confirmed(start)
		e.send(keepalive)
		confirmed(at(time.Minute))
		time.Sleep(time.Minute)
		e.drop()
		e = r.service.stream(keepalive)
		time.Sleep(time.Minute)
		e.send(eventText(PatchEvent, patchEnv("a", 2)))
		confirmed(at(time.Minute)) // this connection has brought no put yet
		e.send(eventText(PutEvent, put(listedEnv("a", 2))))
		confirmed(time.Now())
	})
}

func TestStoreAgeGoesByTheConfirmation(t *testing.T) {
	prepare := func(t *testing.T) *memory {
		m := storedAB(t)
		m.stored.ConfirmedAt = time.Now().Add(-time.Minute)
		return m
	}
	withStore(t, prepare, func(t *testing.T, r *rig, m *memory) {
		r.wants("add a", "add b", "add filter f", "all")
		assert.Equal(t, time.Minute, r.manager.Status().SnapshotAge)
		assert.Equal(t, m.stored.SavedAt, (&Snapshot{SavedAt: m.stored.SavedAt}).LastConfirmed(), "those of older versions say no more")
	})
}

func TestStoreSavesOfAFleetAreSpread(t *testing.T) {
	const fleet = 1000
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		stores := make([]*memory, fleet)
		for i := range stores {
			stores[i] = &memory{}
			s := newSaver(saverOptions{
				store: stores[i], snapshot: func() *Snapshot { return &Snapshot{SavedAt: time.Now()} }, confirmedAt: time.Now,
				failed: func(error) {}, recovered: func(int) {},
			})
			defer s.end()
			s.confirm()
		}
		time.Sleep(maxConfirmDelay + maxRefresh)
		synctest.Wait()
		confirmed, refreshed := make(map[int]int), make(map[int]int)
		for _, store := range stores {
			times := store.saveTimes()
			require.GreaterOrEqual(t, len(times), 2)
			confirmed[int(times[0].Sub(start)/time.Second)]++
			refreshed[int(times[1].Sub(start)/time.Minute)]++
		}
		// Spread evenly, 3.4 % are saved in each second after a put, and 5 % in each minute of the refresh.
		for second, saves := range confirmed {
			assert.Less(t, saves, fleet*7/100, "second %d", second)
		}
		for minute, saves := range refreshed {
			assert.Less(t, saves, fleet*10/100, "minute %d", minute)
		}
	})
}

// keyed is a memory that notes the order of the keys and saves that it is told of.
type keyed struct {
	memory
	notes []string
}

func (k *keyed) RotateKey(former, key config.AutoConfigKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notes = append(k.notes, string(former)+" to "+string(key))
}

func (k *keyed) Save(ctx context.Context, s *Snapshot) error {
	err := k.memory.Save(ctx, s)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notes = append(k.notes, "save")
	return err
}

func (k *keyed) String() string { return "the drawer" }

func TestStoreFollowsAKeyOnceTheServiceHasAcceptedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &keyed{}
		r := newRig(t, 0, WithStore(store), WithRejectedKeyRetry())
		defer r.close()
		noted := func(want ...string) {
			t.Helper()
			time.Sleep(2 * saveDelay)
			synctest.Wait()
			store.mu.Lock()
			defer store.mu.Unlock()
			assert.Equal(t, want, store.notes)
			store.notes = nil
		}
		r.manager.Start()
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		noted("save")
		e.send(eventText(PatchEvent, patchEnv("a", 2)))
		r.manager.SetKey("rel-mistake")
		noted("save") // with the former key, since nothing says that the new one is right
		r.service.next().Answer(401)
		r.manager.SetKey("rel-second")
		e = r.service.stream(eventText(PatchEvent, patchEnv("a", 3)))
		noted("save") // before the put
		e.send(eventText(PutEvent, put(listedEnv("a", 3))))
		noted(string(testKey)+" to rel-second", "save") // although nothing has changed
		r.manager.SetKey("rel-third")
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 3))))
		noted("rel-second to rel-third", "save")
	})
}

func TestStoreKeySetBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &keyed{}
		r := newRig(t, 0, WithStore(store))
		r.manager.SetKey("rel-second")
		r.manager.Start()
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		r.close()
		assert.Equal(t, []string{string(testKey) + " to rel-second", "save"}, store.notes)
	})
}

func TestStoreIsNamedInEveryLineAboutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &keyed{memory: memory{loadErr: errors.New("no disk"), saveErr: errors.New("disk full")}}
		r := newRig(t, 0, WithStore(store))
		defer r.close()
		r.manager.Start()
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 1))))
		time.Sleep(5 * time.Second)
		store.failSaves(nil)
		time.Sleep(time.Minute)
		var lines []string
		for _, line := range append(r.log.GetOutput(ldlog.Warn), r.log.GetOutput(ldlog.Info)...) {
			if strings.Contains(line, "drawer") {
				lines = append(lines, line)
			}
		}
		const failed = "The configuration could not be saved in the drawer: disk full"
		assert.Equal(t, []string{
			"The last known configuration could not be loaded from the drawer: no disk", failed, failed, failed,
			"The configuration is saved in the drawer again, after 3 failures",
		}, lines)
	})
	withStore(t, storedAB, func(t *testing.T, r *rig, m *memory) {
		r.wants("add a", "add b", "add filter f", "all")
		r.log.AssertMessageMatch(t, true, ldlog.Info, `^Starting from the configuration in the store \*autoconfig.memory, `+
			`which the service confirmed at .*Z, with 2 environments$`)
	})
}
