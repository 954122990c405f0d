package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/filestore"
)

// nowhere is a stream URI at which nothing listens.
const nowhere = "http://127.0.0.1:1"

// fileStore is the file at path as another process would open it.
func fileStore(t *testing.T, path string, key config.AutoConfigKey) *filestore.Store {
	t.Helper()
	kept, err := filestore.New(path, filestore.Options{Key: key})
	require.NoError(t, err)
	return kept
}

// cached makes a cache file that was saved two and a half minutes ago.
func cached(t *testing.T, key config.AutoConfigKey, environments ...envfactory.EnvironmentRep) string {
	t.Helper()
	path := inFolder(t, "cache")
	require.NoError(t, fileStore(t, path, key).Save(t.Context(), &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat, SavedAt: time.Now().Add(-150 * time.Second),
		Environments: autoconfigtest.MakePut(environments...).Environments,
		Filters:      map[config.FilterID]envfactory.FilterRep{"web.eu": {ProjKey: "web", FilterKey: "eu", Version: 3}},
	}))
	return path
}

func twoEnvironments() []envfactory.EnvironmentRep {
	return []envfactory.EnvironmentRep{autoconfigtest.MakeEnvironment(1, 1), autoconfigtest.MakeEnvironment(2, 1)}
}

func TestWatchSaysWhatComesFromTheCacheAndWhenTheStreamTookOver(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	path := cached(t, testKey, twoEnvironments()...)
	p := start(t, append(service(server.URL), "CACHE_FILE="+path), "watch")
	p.says(&p.stdout, "received all from the cache: 2 environments, 1 filter\n")
	assert.Contains(t, p.stdout.String(), "  started from the cache: 2 environments, confirmed 2m ago\n")
	assert.NotContains(t, p.stdout.String(), "taken over")
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p.says(&p.stdout, "received all: 1 environment\n")
	assert.Contains(t, p.stdout.String(), "  the stream has taken over from the cache\n")
	server.DropConnections()
	p.says(&p.stdout, "recovered")
	changes := start(t, append(service(server.URL), "CACHE_FILE="+inFolder(t, "none")), "watch", "--once", "--format", "json")
	changes.exit(exitOK)
	assert.Equal(t, []string{"added", "received-all"}, changes.changes(), "nothing of this without anything in the cache")
}

func TestTheOutputFileAndTheHookGetWhatIsInTheCache(t *testing.T) {
	t.Parallel()
	path, out := cached(t, testKey, twoEnvironments()...), inFolder(t, "envs.json")
	p := start(t, service(nowhere), "watch", "--cache-file", path, "--output-file", out, "--exec", "echo hook was here")
	p.says(&p.stderr, "hook was here")
	require.Eventually(t, func() bool { _, err := os.Stat(out); return err == nil }, soon, 5*time.Millisecond)
	assert.Len(t, readOutput(t, out).Environments, 2)
}

func TestOnceWaitsForTheStreamAlsoWithACache(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	p := start(t, service(server.URL), "watch", "--once", "--cache-file", cached(t, testKey, twoEnvironments()...))
	p.says(&p.stdout, "received all from the cache")
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p.exit(exitOK)
	assert.Contains(t, p.stdout.String(), "received all: 1 environment\n")
}

func TestOnceEndsWithTheCacheAfterTheInitTimeout(t *testing.T) {
	t.Parallel()
	out := inFolder(t, "envs.json")
	p := start(t, service(nowhere), "watch", "--once", "--init-timeout", "5s", "--output-file", out,
		"--cache-file", cached(t, testKey, twoEnvironments()...))
	p.exit(exitOK)
	assert.Contains(t, p.stderr.String(),
		"The service has not delivered within 5s; ending with the configuration from the cache, confirmed 2m ago")
	assert.Len(t, readOutput(t, out).Environments, 2)
}

func TestTheCacheIsInTimeForTheInitTimeout(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	p := start(t, service(server.URL), "watch", "--init-timeout", "5s", "--cache-file", cached(t, testKey, twoEnvironments()...))
	p.says(&p.stdout, "received all from the cache")
	server.WaitForConnections(1, soon)
	select {
	case <-p.ended:
		t.Fatal("the command has ended")
	case <-time.After(5500 * time.Millisecond): // that nothing happens can't be waited for otherwise
	}
	server.Put(autoconfigtest.MakePut())
	p.says(&p.stdout, "received all: 0 environments")
}

func TestARejectedKeyEndsWatchAfterTheCacheWasServed(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.RejectKeys(401)
	for _, once := range []string{"--once=false", "--once"} {
		out := inFolder(t, "envs.json")
		p := start(t, service(server.URL), "watch", once, "--output-file", out, "--cache-file", cached(t, testKey, twoEnvironments()...))
		p.exit(exitPermanent)
		assert.Contains(t, p.stderr.String(), "401")
		assert.Contains(t, p.stdout.String(), "started from the cache: 2 environments")
		assert.Len(t, readOutput(t, out).Environments, 2)
	}
}

func TestACacheThatCannotBeUsedStaysUntilTheServiceHasAcceptedTheKey(t *testing.T) {
	t.Parallel()
	damaged := cached(t, testKey, twoEnvironments()...)
	data := must(os.ReadFile(damaged))
	data[len(data)-1] ^= 1
	write(t, damaged, string(data))
	tests := []struct{ name, path, reason, kind string }{
		{"damaged", damaged, "it is damaged", "damaged"},
		{"another key", cached(t, "rel-another", twoEnvironments()...), "it is encrypted with another key", "other-key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := autoconfigtest.NewServer(t)
			server.RejectKeys(401)
			stored := must(os.ReadFile(test.path))
			p := start(t, service(server.URL), "watch", "--cache-file", test.path)
			p.exit(exitPermanent)
			assert.Contains(t, p.stderr.String(), test.reason)
			assert.Equal(t, stored, must(os.ReadFile(test.path)), "the key may be a mistake")
			assert.Empty(t, must(filepath.Glob(test.path+".*")))

			server = autoconfigtest.NewServer(t)
			server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
			p = start(t, service(server.URL), "watch", "--cache-file", test.path)
			p.says(&p.stdout, "received all: 1 environment\n")
			requireCached(t, test.path, testKey, 1)
			aside := must(filepath.Glob(test.path + ".*"))
			require.Len(t, aside, 1)
			assert.Contains(t, aside[0], "."+test.kind+"-")
			assert.Equal(t, stored, must(os.ReadFile(aside[0])))
			p.says(&p.stderr, "It was set aside as "+aside[0])
			assert.NotContains(t, p.stdout.String(), "cache")
			requireOwnerOnly(t, test.path)
		})
	}
}

func TestACacheThatIsSomethingElseIsBadUsageAndNotTouched(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	path := write(t, inFolder(t, "notes"), "something of somebody else's")
	for _, command := range [][]string{{"watch"}, {"watch", "--once"}, {"cache", "show"}} {
		p := start(t, service(server.URL), append(command, "--cache-file", path)...)
		p.exit(exitUsage)
		assert.Contains(t, p.stderr.String(), path+" can't be used: it is not a stored configuration of relayconf. It is left alone")
		assert.Equal(t, "something of somebody else's", string(must(os.ReadFile(path))))
	}
	assert.Empty(t, must(filepath.Glob(path+".*")))
}

func TestACacheThatCannotBeReadOrWrittenIsReportedAndNotFatal(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	for _, args := range [][]string{
		{"--cache-file", t.TempDir(), "the file "},
		{"--cache-redis", "redis://:" + redisPassword + "@127.0.0.1:1/0?max_retries=-1", "the Redis key {relayconf}:snapshot at 127.0.0.1:1"},
	} {
		name := args[2]
		p := start(t, service(server.URL), append([]string{"watch"}, args[:2]...)...)
		p.says(&p.stderr, "The last known configuration could not be loaded from "+name)
		p.says(&p.stderr, "The configuration could not be saved in "+name)
		p.says(&p.stdout, "received all: 1 environment\n")
		assert.NotContains(t, p.stderr.String(), redisPassword)
	}
}

func TestAnOlderKeyOpensTheCacheWhichThenFollowsThePresentOne(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	path := cached(t, "rel-older", twoEnvironments()...)
	older := write(t, inFolder(t, "older"), "rel-oldest\nrel-older\n")
	p := start(t, service(server.URL), "watch", "--once", "--cache-file", path, "--cache-older-key-file", older)
	p.says(&p.stdout, "received all from the cache: 2 environments")
	server.Put(autoconfigtest.MakePut(twoEnvironments()...))
	p.exit(exitOK)
	requireCached(t, path, testKey, 2)
	_, err := fileStore(t, path, "rel-older").Load(t.Context())
	require.ErrorIs(t, err, store.ErrWrongKey)
}

func TestAFlagForTheCacheGoesBeforeTheVariables(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(twoEnvironments()...))
	path := inFolder(t, "cache")
	p := start(t, append(service(server.URL), "CACHE_REDIS_URL=nonsense"), "watch", "--once", "--cache-file", path)
	p.exit(exitOK)
	requireCached(t, path, testKey, 2)
}

// requireCached waits until a cache opens with this key and holds so many environments.
func requireCached(t *testing.T, path string, key config.AutoConfigKey, environments int) {
	t.Helper()
	kept := fileStore(t, path, key)
	require.Eventually(t, func() bool {
		snapshot, err := kept.Load(t.Context())
		return err == nil && snapshot != nil && len(snapshot.Environments) == environments
	}, soon, 5*time.Millisecond)
}
