//go:build servers

package shared

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	cmd    *exec.Cmd
}

// startServer starts a server on a free port, with more lines of configuration. The program is redis-server, or the one that the
// variable REDIS_SERVER names, such as valkey-server.
func startServer(t *testing.T, config ...string) *server {
	t.Helper()
	s := newServer(t, append([]string{`save ""`, "appendonly yes", "appendfsync always"}, config...)...)
	s.run(t)
	return s
}

func newServer(t *testing.T, config ...string) *server {
	t.Helper()
	binary, err := exec.LookPath(cmp.Or(os.Getenv("REDIS_SERVER"), "redis-server"))
	require.NoError(t, err, "these tests need a real Redis server: apt-get install redis-server")
	s := &server{port: freePort(t), folder: t.TempDir(), binary: binary}
	config = append([]string{fmt.Sprint("port ", s.port), "bind 127.0.0.1", "dir " + s.folder}, config...)
	require.NoError(t, os.WriteFile(s.file(), []byte(strings.Join(config, "\n")+"\n"), 0o600))
	t.Cleanup(func() { s.kill(t) })
	return s
}

func (s *server) file() string { return filepath.Join(s.folder, "server.conf") }
func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }
func (s *server) url() string  { return "redis://" + s.addr() }

// run starts the process, or starts it again, and waits until it answers.
func (s *server) run(t *testing.T, args ...string) {
	t.Helper()
	s.cmd = exec.Command(s.binary, append([]string{s.file()}, args...)...)
	require.NoError(t, s.cmd.Start())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", s.addr())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, soon, 5*time.Millisecond, "%s does not listen", s.binary)
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

func (s *server) client(t *testing.T) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
