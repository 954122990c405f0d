package sealed

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// firstStored is the snapshot in the file that the first version with stores has written.
func firstStored() *autoconfig.Snapshot {
	expiry := ldtime.UnixMillisecondTime(1790000000000)
	return &autoconfig.Snapshot{
		FormatVersion: 1,
		SavedAt:       time.Date(2026, 11, 21, 1, 2, 3, 4, time.UTC),
		Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{
			"env1": {
				EnvID: "env1", EnvKey: "production", EnvName: "Production", ProjKey: "web", ProjName: "Web shop", MobKey: "mob-1",
				SDKKey:     envfactory.SDKKeyRep{Value: "sdk-1", Expiring: envfactory.ExpiringKeyRep{Value: "sdk-0", Timestamp: expiry}},
				SDKKeys:    []envfactory.ConcurrentKeyRep{{Key: "default", Value: "sdk-1"}, {Key: "second", Value: "sdk-2", Expiry: &expiry}},
				MobileKeys: []envfactory.ConcurrentKeyRep{{Key: "default", Value: "mob-1"}, {Key: "views", Value: "mob-2", HasViews: true}},
				DefaultTTL: 5, SecureMode: true, Version: 7,
			},
		},
		Filters: map[config.FilterID]envfactory.FilterRep{"web.a": {ProjKey: "web", FilterKey: "a", Version: 2}},
	}
}

// The files in testdata were written by the versions that they are named for. They are never written again: a version must
// open what any earlier one has stored.
func TestOpensWhatEarlierVersionsHaveStored(t *testing.T) {
	withTexts := firstStored()
	withTexts.ConfirmedAt = time.Date(2026, 11, 21, 1, 2, 3, 3, time.UTC)
	withTexts.Texts = &autoconfig.SnapshotTexts{
		Environments: map[config.EnvironmentID]string{"env1": `{"envID":"env1","later":{"a":[1]},"version":7}`},
		Filters:      map[config.FilterID]string{"web.a": `{"projKey":"web","key":"a","version":2}`},
	}
	withTexts.Tombstones = &autoconfig.SnapshotTombstones{
		Environments: map[config.EnvironmentID]int{"env2": 3},
		Filters:      map[config.FilterID]int{"web.b": 4},
	}
	withTexts.Digest = "00112233445566778899aabbccddeeff"
	for name, want := range map[string]*autoconfig.Snapshot{
		"format1-first": firstStored(),
		"format1-texts": withTexts,
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			got, err := newBox(t, key).Open(data)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}
