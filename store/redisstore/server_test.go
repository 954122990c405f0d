//go:build servers

package redisstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// server is a real Redis server in a process of its own.
type server struct {
	port   int
	folder string
	binary string
	args   []string
	cmd    *exec.Cmd
}

// startServer starts a server on a free port, with the lines of configuration. The program is redis-server, or what the
// variable REDIS_SERVER names, such as valkey-server.
func startServer(t *testing.T, config ...string) *server {
	t.Helper()
	return start(t, []string{
		"port {port}", "bind 127.0.0.1", "dir {folder}", `save ""`, "appendonly yes", "appendfsync always",
	}, config...)
}

func start(t *testing.T, base []string, config ...string) *server {
	t.Helper()
	name := os.Getenv("REDIS_SERVER")
	if name == "" {
		name = "redis-server"
	}
	binary, err := exec.LookPath(name)
	require.NoError(t, err, "these tests need a real Redis server: apt-get install redis-server")
	s := &server{port: freePort(t), folder: t.TempDir(), binary: binary}
	lines := strings.Join(append(base, config...), "\n") + "\n"
	lines = strings.NewReplacer("{port}", fmt.Sprint(s.port), "{folder}", s.folder).Replace(lines)
	file := filepath.Join(s.folder, "server.conf")
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	s.args = []string{file}
	t.Cleanup(func() { s.kill(t) })
	return s
}

// run starts the process, or starts it again, and waits until it answers.
func (s *server) run(t *testing.T, args ...string) *server {
	t.Helper()
	s.cmd = exec.Command(s.binary, append(s.args, args...)...)
	output, err := os.OpenFile(filepath.Join(s.folder, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	s.cmd.Stdout, s.cmd.Stderr = output, output
	err = s.cmd.Start()
	_ = output.Close()
	require.NoError(t, err)
	answers := func() bool {
		conn, err := net.Dial("tcp", s.addr())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	deadline := time.Now().Add(time.Minute)
	for !answers() {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(filepath.Join(s.folder, "output"))
			t.Fatalf("%s does not listen. It said:\n%s", s.binary, said)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s
}

// kill ends the process as a power cut would.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	require.NoError(t, s.cmd.Process.Kill())
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *server) url() string { return "redis://" + s.addr() + "/0" }

func (s *server) client(t *testing.T) *redis.Client {
	t.Helper()
	return newTestClient(t, &redis.Options{Addr: s.addr()})
}

// port is the last one that freePort gave out.
var port atomic.Int64

func init() { port.Store(20_000 + rand.Int64N(10_000)) }

// freePort returns a port below those that Linux gives to who asks for any, so that no other test gets it before the server
// listens, or while it is restarted.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		free := int(port.Add(1))
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", free)); err == nil {
			_ = listener.Close()
			return free
		}
	}
	t.Fatal("no port is free")
	return 0
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
