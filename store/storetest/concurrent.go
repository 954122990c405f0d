package storetest

import (
	"sync"
	"testing"

	"github.com/relayconf/relayconf/autoconfig"
)

const (
	savers       = 4
	savesPerEach = 5
)

func testConcurrentSaves(t *testing.T, s Subject) {
	stores := make([]autoconfig.Store, savers)
	for i := range stores {
		stores[i] = s.Store
	}
	saveAtOnce(t, stores)
}

func testShared(t *testing.T, s Subject) {
	if s.Another == nil {
		t.Skip("the Subject has no Another")
	}
	stores := []autoconfig.Store{s.Store}
	for len(stores) < savers {
		stores = append(stores, s.Another(t))
	}
	saveAtOnce(t, stores)
	for _, store := range stores {
		requireUniform(t, load(t, store))
	}
}

// saveAtOnce has each of the stores save its own versions, and checks that one of those is left, whole.
func saveAtOnce(t *testing.T, stores []autoconfig.Store) {
	var wg sync.WaitGroup
	for i, store := range stores {
		wg.Go(func() {
			for j := range savesPerEach {
				if err := store.Save(t.Context(), uniform(50+i, 1+i+j*len(stores))); err != nil {
					t.Errorf("Save failed while others saved: %v", err)
				}
			}
		})
	}
	wg.Wait()
	snapshot := load(t, stores[0])
	version := requireUniform(t, snapshot)
	if want := 50 + (version-1)%len(stores); len(snapshot.Environments) != want {
		t.Fatalf("version %d has %d environments; %d were saved with it", version, len(snapshot.Environments), want)
	}
}

func testConcurrentLoads(t *testing.T, s Subject) {
	const saves = 20
	save(t, s.Store, uniform(50, 1))
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		for i := range saves {
			if err := s.Store.Save(t.Context(), uniform(50, i+2)); err != nil {
				t.Errorf("Save failed during loads: %v", err)
			}
		}
	}()
	reader := s.Store
	if s.Another != nil {
		reader = s.Another(t)
	}
	for saving := true; saving; {
		select {
		case <-done:
			saving = false
		default:
		}
		requireUniform(t, load(t, reader))
	}
	if got := requireUniform(t, load(t, reader)); got != saves+1 {
		t.Fatalf("version %d is left; want the last one saved, %d", got, saves+1)
	}
}
