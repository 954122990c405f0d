package storetest

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func testNone(t *testing.T, s Subject) {
	requireNone(t, s.Store)
	requireNone(t, s.Store)
}

func testRoundTrip(t *testing.T, s Subject) {
	save(t, s.Store, sample(t))
	requireStored(t, s.Store, sample(t))
}

func testEmpty(t *testing.T, s Subject) {
	empty := &autoconfig.Snapshot{FormatVersion: autoconfig.SnapshotFormat, SavedAt: savedAt}
	save(t, s.Store, empty)
	requireStored(t, s.Store, empty)

	empty.Environments = map[config.EnvironmentID]envfactory.EnvironmentRep{}
	empty.Filters = map[config.FilterID]envfactory.FilterRep{}
	save(t, s.Store, empty)
	requireStored(t, s.Store, empty)
}

func testReplace(t *testing.T, s Subject) {
	save(t, s.Store, uniform(20, 1))
	for version := range 3 {
		smaller := uniform(2, version+2)
		save(t, s.Store, smaller)
		requireStored(t, s.Store, smaller)
	}
	larger := uniform(50, 5)
	save(t, s.Store, larger)
	requireStored(t, s.Store, larger)
}

func testIndependence(t *testing.T, s Subject) {
	saved := sample(t)
	save(t, s.Store, saved)
	if diff := difference(sample(t), saved); diff != "" {
		t.Fatalf("Save has changed the snapshot that it was given: %s", diff)
	}
	loaded := load(t, s.Store)
	clear(loaded.Environments)
	clear(loaded.Filters)
	requireStored(t, s.Store, sample(t))
}

func testNil(t *testing.T, s Subject) {
	if err := s.Store.Save(t.Context(), nil); err == nil {
		t.Fatal("Save(nil) returned no error")
	}
	requireNone(t, s.Store)
}

func testLarge(t *testing.T, s Subject, size int) {
	large := large(size)
	save(t, s.Store, large)
	requireStored(t, s.Store, large)
}

func testContext(t *testing.T, s Subject) {
	save(t, s.Store, uniform(3, 1))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, ctx := range map[string]context.Context{"cancelled": cancelled, "expired": expired} {
		if snapshot, err := s.Store.Load(ctx); err == nil || snapshot != nil {
			t.Fatalf("Load with a context that is %s returned %v, %v; want no snapshot and an error", name, snapshot != nil, err)
		}
		if err := s.Store.Save(ctx, uniform(3, 2)); err == nil {
			t.Fatalf("Save with a context that is %s returned no error", name)
		}
	}
	requireStored(t, s.Store, uniform(3, 1))

	// A context that ends in the middle: with or without an error, the old snapshot or the new one is stored.
	latest := 1
	for delay := 100 * time.Microsecond; delay < 50*time.Millisecond; delay *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), delay)
		err := s.Store.Save(ctx, uniform(3, latest+1))
		cancel()
		got := requireUniform(t, load(t, s.Store))
		if err == nil && got != latest+1 {
			t.Fatalf("a Save that succeeded left version %d; want %d", got, latest+1)
		}
		if got != latest && got != latest+1 {
			t.Fatalf("a Save that failed left version %d; want %d or %d", got, latest, latest+1)
		}
		latest++ // a Save that was given up may yet be done, so the next one is another
		save(t, s.Store, uniform(3, latest))
	}
}

func testAnother(t *testing.T, s Subject) {
	if s.Another == nil {
		t.Skip("the Subject has no Another")
	}
	requireNone(t, s.Another(t))
	save(t, s.Store, sample(t))
	requireStored(t, s.Another(t), sample(t))
	newer := sample(t)
	for id, env := range maps.Clone(newer.Environments) {
		env.Version++
		newer.Environments[id] = env
	}
	save(t, s.Another(t), newer)
	requireStored(t, s.Store, newer)
}
