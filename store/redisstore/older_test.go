package redisstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func TestWhichSnapshotIsOlder(t *testing.T) {
	withFilter := func(snapshot *autoconfig.Snapshot, version int) *autoconfig.Snapshot {
		snapshot.Filters = map[config.FilterID]envfactory.FilterRep{"web.a": {Version: version}}
		return snapshot
	}
	tests := []struct {
		name           string
		a, b           *autoconfig.Snapshot
		aOlder, bOlder bool
	}{
		{"the same", versions(1, 2), versions(1, 2), false, false},
		{"one is older", versions(1, 2), versions(1, 3), true, false},
		{"all are older", versions(1, 2), versions(2, 3), true, false},
		{"one is older, one newer", versions(1, 3), versions(2, 2), false, false},
		{"one was added or removed", versions(1), versions(1, 1), false, false},
		{"one is older, another was added", versions(1, 0), versions(2, 1), true, false},
		{"one is older, another was removed", versions(1, 1), versions(2, 0), true, false},
		{"nothing in common", versions(1, 0), versions(0, 2), false, false},
		{"empty", versions(), versions(5), false, false},
		{"a filter is older", withFilter(versions(1), 1), withFilter(versions(1), 2), true, false},
		{"a filter is older, an environment newer", withFilter(versions(2), 1), withFilter(versions(1), 2), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.aOlder, Older(test.a, test.b))
			assert.Equal(t, test.bOlder, Older(test.b, test.a))
		})
	}
}

// versions returns a snapshot of environments with these versions; 0 leaves one out.
func versions(versions ...int) *autoconfig.Snapshot {
	snapshot := &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat,
		SavedAt:       time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Environments:  map[config.EnvironmentID]envfactory.EnvironmentRep{},
	}
	for i, version := range versions {
		if version > 0 {
			id := config.EnvironmentID(fmt.Sprint("env", i))
			snapshot.Environments[id] = envfactory.EnvironmentRep{EnvID: id, Version: version}
		}
	}
	return snapshot
}
