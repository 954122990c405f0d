package filesource

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/envfactory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 60 * time.Second

// replica applies changes as a relay does, and fails at one that a relay would ignore.
type replica struct {
	t    *testing.T
	mu   sync.Mutex
	puts int
	envs map[string]envfactory.EnvironmentRep
	gone map[string]int
}

func newReplica(t *testing.T) *replica {
	return &replica{t: t, envs: map[string]envfactory.EnvironmentRep{}, gone: map[string]int{}}
}

func (r *replica) Changes(put bool, changes []autoconfig.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := maps.Clone(r.envs)
	if put {
		r.puts++
		clear(r.envs)
	}
	for _, c := range changes {
		if put && c.Version == known[c.ID].Version {
			r.envs[c.ID] = known[c.ID]
			continue
		}
		assert.Greater(r.t, c.Version, max(known[c.ID].Version, r.gone[c.ID]), "a relay ignores a version that is not above the known one")
		switch c.Kind {
		case autoconfig.EnvironmentChanged:
			var rep envfactory.EnvironmentRep
			assert.NoError(r.t, json.Unmarshal(c.Text, &rep))
			assert.Equal(r.t, c.Version, rep.Version)
			r.envs[c.ID] = rep
		case autoconfig.EnvironmentDeleted:
			delete(r.envs, c.ID)
			r.gone[c.ID] = c.Version
		}
	}
}

// names returns the names of the environments by id.
func (r *replica) names() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]string{}
	for id, rep := range r.envs {
		names[id] = rep.EnvName
	}
	return names
}

func (r *replica) has(want map[string]string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return fmt.Sprint(r.names()) == fmt.Sprint(want) }, soon, 5*time.Millisecond,
		"never had %v", want)
}

// yamlOf lists environments by id and name.
func yamlOf(names ...string) string {
	text := "environments:\n"
	for i, name := range names {
		text += fmt.Sprintf("  - {id: env%d, projKey: web, envKey: e%d, sdkKey: sdk-%d, envName: %s}\n", i, i, i, name)
	}
	return text + map[bool]string{true: "  []\n"}[len(names) == 0]
}

// replace replaces a file in one step.
func replace(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".tmp", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".tmp", path))
}

type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestChangesOfAFileReachTheHandlerAndMistakesDoNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "environments.yaml")
	replace(t, path, yamlOf("a", "b"))
	var logged log
	r := newReplica(t)
	s, err := Start(t.Context(), Options{Path: path, Handler: r, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	require.NoError(t, err)
	defer s.Close()
	r.has(map[string]string{"env0": "a", "env1": "b"})
	assert.Equal(t, autoconfig.StateValid, s.Status().State)

	replace(t, path, yamlOf("a", "changed", "c"))
	r.has(map[string]string{"env0": "a", "env1": "changed", "env2": "c"})
	replace(t, path, yamlOf("a"))
	r.has(map[string]string{"env0": "a"})

	replace(t, path, yamlOf("b")+"    oops: 1\n")
	require.Eventually(t, func() bool { return s.Status().State == autoconfig.StateInterrupted }, soon, 5*time.Millisecond)
	assert.Equal(t, map[string]string{"env0": "a"}, r.names())
	assert.Contains(t, s.Status().LastError.Message, "environments.yaml:3: ")
	assert.Contains(t, logged.String(), "environments.yaml:3: ")
	require.NoError(t, os.Remove(path))
	require.Eventually(t, func() bool { return strings.Contains(logged.String(), "no such file") }, soon, 5*time.Millisecond)
	assert.Equal(t, map[string]string{"env0": "a"}, r.names())

	replace(t, path, yamlOf("b", "back"))
	r.has(map[string]string{"env0": "b", "env1": "back"})
	assert.Equal(t, autoconfig.StateValid, s.Status().State)
	assert.Equal(t, 1, r.puts, "all but the first are single changes")
}

// memory is a store of this process.
type memory struct {
	mu       sync.Mutex
	snapshot *autoconfig.Snapshot
}

func (m *memory) Load(context.Context) (*autoconfig.Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshot, nil
}

func (m *memory) Save(_ context.Context, snapshot *autoconfig.Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshot = snapshot
	return nil
}

func TestVersionsGoOnOverRestartsAndLostStores(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "environments.yaml")
	replace(t, path, yamlOf("a", "b"))
	kept := &memory{}
	r := newReplica(t)
	run := func(store autoconfig.Store) *Source {
		s, err := Start(t.Context(), Options{Path: path, Handler: r, Store: store, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		return s
	}
	run(kept).Close()
	before := r.versions()

	t.Log("a restart with its store: the same versions")
	same := newReplica(t)
	s, err := Start(t.Context(), Options{Path: path, Handler: same, Store: kept, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	s.Close()
	assert.Equal(t, before, same.versions())

	t.Log("the store is lost, and the file has changed: a relay that stayed connected takes all of it")
	<-time.After(time.Until(time.Unix(int64(before["env0"])+1, 0))) // versions are seconds
	replace(t, path, yamlOf("a2", "b2"))
	run(&memory{}).Close()
	assert.Equal(t, map[string]string{"env0": "a2", "env1": "b2"}, r.names())
}

func (r *replica) versions() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	versions := map[string]int{}
	for id, rep := range r.envs {
		versions[id] = rep.Version
	}
	return versions
}

func TestAStartWithABrokenFileServesTheStoredConfiguration(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "environments.yaml")
	replace(t, path, yamlOf("a"))
	kept := &memory{}
	options := Options{Path: path, Handler: newReplica(t), Store: kept, Logger: slog.New(slog.DiscardHandler)}
	s, err := Start(t.Context(), options)
	require.NoError(t, err)
	s.Close()

	replace(t, path, "environments: {}")
	r := newReplica(t)
	options.Handler = r
	s, err = Start(t.Context(), options)
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, map[string]string{"env0": "a"}, r.names())
	assert.Equal(t, autoconfig.SourceStore, s.Status().Source)

	replace(t, path, yamlOf("b"))
	r.has(map[string]string{"env0": "b"})
	assert.Equal(t, autoconfig.SourceStream, s.Status().Source)

	t.Log("without a store, the start fails")
	replace(t, path, "environments: {}")
	_, err = Start(t.Context(), Options{Path: path, Handler: newReplica(t), Logger: slog.New(slog.DiscardHandler)})
	var problems strictyaml.Problems
	assert.ErrorAs(t, err, &problems)
}

// inOrder writes down the sources that are told, and the changes.
type inOrder struct {
	*replica
	steps chan string
}

func (o inOrder) told(status autoconfig.Status) { o.steps <- string(status.Source) }

func (o inOrder) Changes(put bool, changes []autoconfig.Change) {
	o.steps <- fmt.Sprintf("%d changes", len(changes))
	o.replica.Changes(put, changes)
}

func TestAStoredConfigurationIsConfirmedOnceItsChangesAreThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "environments.yaml")
	replace(t, path, yamlOf("a"))
	order := inOrder{newReplica(t), make(chan string, 100)}
	options := Options{Path: path, Handler: order, Store: &memory{}, Status: order.told, Logger: slog.New(slog.DiscardHandler)}
	next := func() string {
		select {
		case step := <-order.steps:
			return step
		case <-time.After(soon):
			return "nothing"
		}
	}
	s, err := Start(t.Context(), options)
	require.NoError(t, err)
	s.Close()
	assert.Equal(t, []string{"STREAM", "1 changes"}, []string{next(), next()}, "at first the source, or nothing would be served yet")

	replace(t, path, "environments: {}")
	s, err = Start(t.Context(), options)
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"NONE", "STORE", "1 changes"}, []string{next(), next(), next()})

	replace(t, path, yamlOf("b"))
	assert.Equal(t, []string{"1 changes", "STREAM"}, []string{next(), next()}, "a hub must not confirm what lacks them")
}
