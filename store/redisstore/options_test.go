package redisstore

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store/storetest"
)

const (
	key      config.AutoConfigKey = storetest.Key
	otherKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000002"
)

func newStore(t *testing.T, url string, options Options) *Store {
	t.Helper()
	if options.Key == "" {
		options.Key = key
	}
	s, err := NewFromURL(url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	_, err := New(nil, Options{Key: key})
	require.ErrorContains(t, err, "client is needed")
	client := newTestClient(t, &redis.Options{Addr: "127.0.0.1:1"})
	_, err = New(client, Options{})
	require.ErrorContains(t, err, "a key is needed")
	_, err = New(client, Options{Key: key, Prefix: "a}b"})
	require.ErrorContains(t, err, "brace")
}

func TestAStorePrintsNoKey(t *testing.T) {
	options := Options{Key: key, OlderKeys: []config.AutoConfigKey{otherKey}}
	s, err := New(newTestClient(t, &redis.Options{Addr: "127.0.0.1:1"}), options)
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v"} {
		assert.NotContains(t, fmt.Sprintf(format, s), "rel-0000")
		assert.NotContains(t, fmt.Sprintf(format, options), "rel-0000")
	}
}

func TestAStoreSaysWhereItIsWithoutThePassword(t *testing.T) {
	const name = "the Redis key {relayconf}:snapshot at "
	for url, want := range map[string]string{
		"redis://u:hunter2@h:1/2":                               "h:1",
		"rediss://h":                                            "h",
		"unix://u:hunter2@/run/redis.sock?db=1":                 "/run/redis.sock",
		"redis+sentinel://h:1/3?master_name=m&password=hunter2": "h:1",
		"redis+cluster://u:hunter2@h:1?addr=h2:2":               "h:1",
	} {
		assert.Equal(t, name+want, newStore(t, url, Options{}).String(), url)
	}
	s, err := New(newTestClient(t, &redis.Options{Addr: "127.0.0.1:1", Password: "hunter2"}), Options{Key: key})
	require.NoError(t, err)
	assert.Equal(t, name+"127.0.0.1:1", s.String())
}
