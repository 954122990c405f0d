//go:build servers

package redisstore

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/internal/redistest"
)

// clientOf returns a client that looks at a server from outside.
func clientOf(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	return newTestClient(t, &redis.Options{Addr: server.Addr()})
}

// eventually waits for what a server does in its own time.
func eventually(t *testing.T, what string, condition func(ctx context.Context) error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := condition(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
