//go:build servers

package shared

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/internal/redistest"
)

// server is a real Redis server in a process of its own.
type server struct{ *redistest.Server }

func startServer(t *testing.T, config ...string) *server {
	t.Helper()
	return &server{redistest.Start(t, config...)}
}

func (s *server) addr() string { return s.Addr() }
func (s *server) url() string  { return s.URL() }

// run starts the process, or starts it again, and waits until it answers.
func (s *server) run(*testing.T) { s.Run() }

// kill ends the process as a power cut would.
func (s *server) kill(*testing.T) { s.Kill() }

func (s *server) client(t *testing.T) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}
