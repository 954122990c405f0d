package filestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// versioned returns a snapshot whose environments all have one version, and whose size changes with it.
func versioned(version int) *autoconfig.Snapshot {
	snapshot := &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat,
		SavedAt:       time.Unix(int64(version), 0).UTC(),
		Environments:  map[config.EnvironmentID]envfactory.EnvironmentRep{},
	}
	for i := range 20 + version%7*40 {
		id := config.EnvironmentID(fmt.Sprint("env", i))
		snapshot.Environments[id] = envfactory.EnvironmentRep{EnvID: id, EnvName: fmt.Sprint(rand.Uint64()), Version: version}
	}
	return snapshot
}

func requireWhole(t *testing.T, snapshot *autoconfig.Snapshot) (version int) {
	t.Helper()
	require.NotNil(t, snapshot)
	version = int(snapshot.SavedAt.Unix())
	require.Len(t, snapshot.Environments, 20+version%7*40)
	for _, env := range snapshot.Environments {
		require.Equal(t, version, env.Version)
	}
	return version
}

// runWriter is what a writing process does: it saves one version after the other, from the one after what is stored,
// and tells each on its output when Save has returned. It ends when it is killed, or after the number of saves that
// its first argument says.
func runWriter(path string) {
	err := func() error {
		s, err := New(path, Options{Key: key})
		if err != nil {
			return err
		}
		stored, err := s.Load(context.Background())
		if err != nil {
			return err
		}
		version := 0
		if stored != nil {
			version = int(stored.SavedAt.Unix())
		}
		saves, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return err
		}
		for range saves {
			version++
			if err := s.Save(context.Background(), versioned(version)); err != nil {
				return err
			}
			if _, err := fmt.Println(version); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startWriter(t *testing.T, path string, saves int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], strconv.Itoa(saves))
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(output)
}

func TestAKilledWriterLeavesTheOldFileOrTheNew(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 50
	}
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, key)
	known, leftovers := 0, 0
	// On a slow or busy machine few are hit in the middle of writing: it goes on until one is.
	for n := 0; n < kills || leftovers == 0 && n < 20*kills; n++ {
		cmd, lines := startWriter(t, path, 1_000_000)
		// The first save shows that it writes; it is killed at some moment of one of the next few.
		require.True(t, lines.Scan())
		time.Sleep(rand.N(4 * time.Millisecond))
		require.NoError(t, cmd.Process.Kill())
		told := lines.Text()
		for lines.Scan() {
			told = lines.Text()
		}
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)

		snapshot, err := s.Load(t.Context())
		require.NoError(t, err)
		version := requireWhole(t, snapshot)
		saved, err := strconv.Atoi(told)
		require.NoError(t, err)
		require.GreaterOrEqual(t, version, saved, "what Save said was saved is there")
		require.LessOrEqual(t, version, saved+1)
		require.Greater(t, version, known)
		known = version
		leftovers = len(names(t, path)) - 1
	}
	assert.NotZero(t, leftovers, "some were killed in the middle of writing")
	dayBeforeYesterday := time.Now().Add(-48 * time.Hour)
	for _, name := range names(t, path) {
		require.NoError(t, os.Chtimes(filepath.Join(filepath.Dir(path), name), dayBeforeYesterday, dayBeforeYesterday))
	}
	require.NoError(t, s.Save(t.Context(), versioned(known+1)))
	require.Equal(t, []string{"cache"}, names(t, path), "a Save removes old leftovers")
}

func TestTwoProcessesOnOneFileDoNotCorruptIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, path, key)
	require.NoError(t, s.Save(t.Context(), versioned(1)))
	exited := make(chan error, 2)
	for range cap(exited) {
		cmd, lines := startWriter(t, path, 100)
		go func() {
			for lines.Scan() {
			}
			exited <- cmd.Wait()
		}()
	}
	for running := cap(exited); running > 0; {
		select {
		case err := <-exited:
			require.NoError(t, err)
			running--
		default:
		}
		snapshot, err := s.Load(t.Context())
		require.NoError(t, err)
		requireWhole(t, snapshot)
	}
	require.Equal(t, []string{"cache"}, names(t, path))
}

func TestSaversThatSetAsideDoNotLoseAGoodFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	a, b := newStore(t, path, key), newStore(t, path, key)
	other := sealedBy(t, otherKey)
	for i := range 100 {
		require.NoError(t, os.WriteFile(path, other, 0o600))
		saved := make(chan error, 1)
		go func() { saved <- a.Save(t.Context(), versioned(i)) }()
		require.NoError(t, b.Save(t.Context(), versioned(i)))
		require.NoError(t, <-saved)
		snapshot, err := a.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, i, requireWhole(t, snapshot))
		for _, aside := range asides(t, path) {
			require.Equal(t, string(other), aside)
		}
	}
}

// names lists the folder of the file.
func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// asides lists the contents of the files of another key that are set aside, the oldest first.
func asides(t *testing.T, path string) []string {
	t.Helper()
	var contents []string
	for _, name := range names(t, path) {
		if strings.HasPrefix(name, filepath.Base(path)+".other-key-") {
			data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
			require.NoError(t, err)
			contents = append(contents, string(data))
		}
	}
	return contents
}

var errBroken = errors.New("broken")
