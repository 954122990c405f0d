package output

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what is configured, and what was reported.
type world struct {
	mu        sync.Mutex
	envs      []*envfactory.EnvironmentParams
	part      bool // the configuration is not whole
	snapshots atomic.Int32
	said      []string
}

func (w *world) snapshot() (change.Snapshot, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.part {
		return change.Snapshot{}, false
	}
	w.snapshots.Add(1)
	return change.Snapshot{Environments: slices.Clone(w.envs),
		Filters: []envfactory.FilterParams{{ID: "web.eu", Key: "eu", ProjKey: "web"}}}, true
}

func (w *world) setPart(part bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = part
}

func (w *world) add(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.envs = append(w.envs, &envfactory.EnvironmentParams{EnvID: config.EnvironmentID(id), SDKKey: "sdk-whole"})
}

func (w *world) report(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *world) reports() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.said, "\n")
}

func start(t *testing.T) (w *world, writer *Writer, path string) {
	w, path = &world{}, filepath.Join(t.TempDir(), "envs.json")
	return w, Start(w.options(path)), path
}

func (w *world) options(path string) Options {
	return Options{Path: path, Snapshot: w.snapshot, Report: w.report,
		Recovered: func(format string, args ...any) { w.report("recovered: "+format, args...) }}
}

func TestTheFileHasEverythingWithWholeKeys(t *testing.T) {
	w, writer, path := start(t)
	w.envs = []*envfactory.EnvironmentParams{{
		EnvID:              "1",
		Identifiers:        envfactory.EnvIdentifiers{EnvKey: "prod", EnvName: "A & B", ProjKey: "web", ProjName: "Web"},
		SDKKey:             "sdk-whole",
		MobileKey:          "mob-whole",
		ExpiringSDKKey:     "sdk-old",
		ExpiringSDKKeyTime: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		AcceptedSDKKeys: []envfactory.AcceptedSDKKey{{Name: "default", Value: "sdk-whole"},
			{Value: "sdk-old", Expiry: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		TTL:        5 * time.Minute,
		SecureMode: true,
	}}
	writer.Changed()
	require.NoError(t, writer.Close())

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var file File
	require.NoError(t, json.Unmarshal(data, &file))
	assert.WithinDuration(t, time.Now(), time.Time(file.WrittenAt), time.Minute)
	written, err := json.Marshal(file.WrittenAt)
	require.NoError(t, err)
	assert.Equal(t, `{
  "format": "relayconf-environments",
  "version": 1,
  "writtenAt": `+string(written)+`,
  "environments": [
    {
      "id": "1",
      "projKey": "web",
      "projName": "Web",
      "envKey": "prod",
      "envName": "A & B",
      "sdkKey": "sdk-whole",
      "mobileKey": "mob-whole",
      "expiringSdkKey": {
        "value": "sdk-old",
        "expiry": "2100-01-01T00:00:00.000Z"
      },
      "acceptedSdkKeys": [
        {
          "name": "default",
          "value": "sdk-whole",
          "expiry": null
        },
        {
          "name": "",
          "value": "sdk-old",
          "expiry": "9999-12-31T23:59:59.000Z"
        }
      ],
      "acceptedMobileKeys": [],
      "ttlSeconds": 300,
      "secureMode": true
    }
  ],
  "filters": [
    {
      "id": "web.eu",
      "projKey": "web",
      "key": "eu"
    }
  ]
}
`, string(data))
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestNothingIsWrittenBeforeTheFirstChange(t *testing.T) {
	_, writer, path := start(t)
	require.NoError(t, writer.Close())
	assert.NoFileExists(t, path)
}

func TestABurstOfChangesIsOneWriteAndTheLastIsNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, writer, path := start(t)
		for i := range 100 {
			w.add(fmt.Sprint(i))
			writer.Changed()
			synctest.Wait()
		}
		assert.Equal(t, int32(0), w.snapshots.Load())
		time.Sleep(coalesce)
		synctest.Wait()
		assert.Equal(t, int32(1), w.snapshots.Load())
		assert.Equal(t, 100, environments(t, path))

		w.add("late")
		writer.Changed()
		time.Sleep(coalesce)
		synctest.Wait()
		assert.Equal(t, 101, environments(t, path))
		require.NoError(t, writer.Close())
		assert.Equal(t, int32(2), w.snapshots.Load(), "closing writes only what has changed")
	})
}

func TestChangesThatNeverPauseDoNotDelayTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, writer, _ := start(t)
		for range 10 {
			writer.Changed()
			time.Sleep(coalesce / 5)
			synctest.Wait()
		}
		assert.GreaterOrEqual(t, w.snapshots.Load(), int32(1))
		require.NoError(t, writer.Close())
	})
}

func TestAFailureIsReportedAndTriedAgainAtTheNextChangeOrLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, writer, path := start(t)
		require.NoError(t, os.Mkdir(path, 0o700))
		writer.Changed()
		time.Sleep(coalesce)
		synctest.Wait()
		assert.Contains(t, w.reports(), "it is a folder; the next try is at the next change, or in 1s")

		writer.Changed()
		time.Sleep(coalesce)
		synctest.Wait()
		assert.Equal(t, int32(2), w.snapshots.Load(), "a change is tried at once")

		require.NoError(t, os.Remove(path))
		w.add("1")
		time.Sleep(2 * firstRetry)
		synctest.Wait()
		assert.Equal(t, 1, environments(t, path))
		assert.Contains(t, w.reports(), "recovered: the output file is written again")
		require.NoError(t, writer.Close())
	})
}

func TestFlushTellsThatTheFileIsNotCurrent(t *testing.T) {
	_, writer, path := start(t)
	require.NoError(t, os.Mkdir(path, 0o700))
	writer.Changed()
	require.ErrorContains(t, writer.Flush(t.Context()), "it is a folder")
	require.ErrorContains(t, writer.Close(), "it is a folder")
	require.NoError(t, writer.Flush(t.Context()), "after the end there is nothing to do")
}

func TestAPartIsNeverWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, writer, path := start(t)
		w.setPart(true)
		w.add("1")
		writer.Changed()
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.NoFileExists(t, path)

		flushed := make(chan error, 2)
		for range 2 {
			go func() { flushed <- writer.Flush(t.Context()) }()
		}
		w.add("2")
		writer.Changed()
		synctest.Wait()
		assert.Empty(t, flushed, "whoever needs the file waits")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, writer.Flush(ended), context.Canceled)

		w.setPart(false)
		writer.Changed()
		require.NoError(t, <-flushed)
		require.NoError(t, <-flushed)
		assert.Equal(t, 2, environments(t, path), "at once, when it is whole")

		w.setPart(true)
		w.add("3")
		writer.Changed()
		require.NoError(t, writer.Close())
		assert.Equal(t, 2, environments(t, path), "also at the end")
		assert.Empty(t, w.reports())
	})
}

func environments(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var file File
	require.NoError(t, json.Unmarshal(data, &file))
	return len(file.Environments)
}
