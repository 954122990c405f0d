package storetest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/relayconf/relayconf/autoconfig"
)

func save(t *testing.T, store autoconfig.Store, snapshot *autoconfig.Snapshot) {
	t.Helper()
	if err := store.Save(t.Context(), snapshot); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

// load fails the test if there is no snapshot.
func load(t *testing.T, store autoconfig.Store) *autoconfig.Snapshot {
	t.Helper()
	snapshot, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if snapshot == nil {
		t.Fatal("Load returned no snapshot; want what was saved")
	}
	return snapshot
}

func requireNone(t *testing.T, store autoconfig.Store) {
	t.Helper()
	if snapshot, err := store.Load(t.Context()); err != nil || snapshot != nil {
		t.Fatalf("Load returned a snapshot: %v, error: %v; want nil, nil, since nothing was saved", snapshot != nil, err)
	}
}

func requireStored(t *testing.T, store autoconfig.Store, want *autoconfig.Snapshot) {
	t.Helper()
	if diff := difference(want, load(t, store)); diff != "" {
		t.Fatalf("Load did not return what was saved: %s", diff)
	}
}

// requireUniform returns the version that all environments have.
func requireUniform(t *testing.T, snapshot *autoconfig.Snapshot) int {
	t.Helper()
	version := -1
	for id, env := range snapshot.Environments {
		if version == -1 {
			version = env.Version
		}
		if env.Version != version {
			t.Fatalf("the snapshot is a mix of two: %s has version %d, others have %d", id, env.Version, version)
		}
	}
	if !snapshot.SavedAt.Equal(uniform(0, version).SavedAt) {
		t.Fatalf("the snapshot is a mix of two: its time is not that of version %d", version)
	}
	return version
}

// difference says in which part two snapshots differ; it is empty if they don't. A map that is nil is as good as an
// empty one.
func difference(want, got *autoconfig.Snapshot) string {
	if !want.SavedAt.Equal(got.SavedAt) || !want.ConfirmedAt.Equal(got.ConfirmedAt) {
		return fmt.Sprintf("SavedAt is %v, ConfirmedAt %v; want %v and %v",
			got.SavedAt, got.ConfirmedAt, want.SavedAt, want.ConfirmedAt)
	}
	if len(want.Environments) != len(got.Environments) || len(want.Filters) != len(got.Filters) {
		return fmt.Sprintf("it has %d environments and %d filters; want %d and %d",
			len(got.Environments), len(got.Filters), len(want.Environments), len(want.Filters))
	}
	for id, env := range want.Environments {
		if !reflect.DeepEqual(env, got.Environments[id]) {
			return fmt.Sprintf("environment %q is\n%+v; want\n%+v", id, got.Environments[id], env)
		}
	}
	for id, filter := range want.Filters {
		if got.Filters[id] != filter {
			return fmt.Sprintf("filter %q is\n%+v; want\n%+v", id, got.Filters[id], filter)
		}
	}
	// The remaining fields are those that this function does not know.
	a, b := *want, *got
	a.SavedAt, a.ConfirmedAt, a.Environments, a.Filters = b.SavedAt, b.ConfirmedAt, b.Environments, b.Filters
	if !reflect.DeepEqual(a, b) {
		return "one of its other fields, such as FormatVersion, differs"
	}
	return ""
}
