//go:build servers

package redisstore

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/redistest"
	"github.com/relayconf/relayconf/store/storetest"
)

// runConformance runs the suite in the place that the URL says; admin looks at that place from outside.
func runConformance(t *testing.T, url string, admin redis.UniversalClient) {
	t.Helper()
	var places atomic.Int32
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		options := Options{Prefix: fmt.Sprint("place", places.Add(1))}
		s := newStore(t, url, options)
		return storetest.Subject{
			Store:   s,
			Another: func(t *testing.T) autoconfig.Store { return newStore(t, url, options) },
			Corrupt: func(t *testing.T, change func([]byte) []byte) {
				data, err := admin.Get(t.Context(), s.key).Result()
				require.NoError(t, err)
				require.NoError(t, admin.Set(t.Context(), s.key, change([]byte(data)), 0).Err())
			},
			WithKey: func(t *testing.T, key config.AutoConfigKey) autoconfig.KeyedStore {
				return newStore(t, url, Options{Prefix: options.Prefix, Key: key})
			},
		}
	})
}

func TestConformance(t *testing.T) {
	server := redistest.Start(t)
	runConformance(t, server.URL(), clientOf(t, server))
}
