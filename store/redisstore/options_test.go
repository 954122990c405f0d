package redisstore

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

const (
	key      config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000001"
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
