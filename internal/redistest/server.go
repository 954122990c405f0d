// Package redistest starts real Redis servers for tests, each in a process of its own: one, a Cluster, or a master with a
// replica and a Sentinel. The program is redis-server, or that of the variable REDIS_SERVER, such as valkey-server.
package redistest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relayconf/relayconf/internal/freeport"
)

const (
	patience = time.Minute // for a server, on a slow machine
	pause    = 5 * time.Millisecond
)

// Server is a server on loopback. It is killed when the test ends.
type Server struct {
	tb      testing.TB
	program string
	port    int
	folder  string
	args    []string
	cmd     *exec.Cmd // nil while it does not run
}

// New returns a server that does not run yet. It writes each change to its disk before it answers. More lines of
// configuration may be given, in which {port} and {folder} stand for its own.
func New(tb testing.TB, config ...string) *Server {
	tb.Helper()
	return newServer(tb, append([]string{`save ""`, "appendonly yes", "appendfsync always"}, config...))
}

// Start starts a server as New makes it.
func Start(tb testing.TB, config ...string) *Server {
	tb.Helper()
	s := New(tb, config...)
	s.Run()
	return s
}

func newServer(tb testing.TB, config []string, args ...string) *Server {
	tb.Helper()
	name := os.Getenv("REDIS_SERVER")
	if name == "" {
		name = "redis-server"
	}
	program, err := exec.LookPath(name)
	if err != nil {
		tb.Fatalf("this test needs a real Redis server (apt-get install redis-server): %v", err)
	}
	s := &Server{tb: tb, program: program, port: freeport.Take(tb), folder: tb.TempDir()}
	lines := strings.Join(append([]string{"port {port}", "bind 127.0.0.1", "dir {folder}"}, config...), "\n") + "\n"
	lines = strings.NewReplacer("{port}", fmt.Sprint(s.port), "{folder}", s.folder).Replace(lines)
	file := filepath.Join(s.folder, "server.conf")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.args = append([]string{file}, args...)
	tb.Cleanup(s.Kill)
	return s
}

// Run starts the process, or starts it again, and returns when it listens.
func (s *Server) Run() {
	s.tb.Helper()
	cmd := exec.Command(s.program, s.args...)
	output, err := os.OpenFile(s.outputFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = output, output
	err = cmd.Start()
	_ = output.Close()
	if err != nil {
		s.tb.Fatal(err)
	}
	s.cmd = cmd
	s.eventually("listens", func() error {
		conn, err := net.Dial("tcp", s.Addr())
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
}

// Kill ends the process as a power cut would, if it runs.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Lose removes the data of a server that does not run.
func (s *Server) Lose() {
	s.tb.Helper()
	if err := os.RemoveAll(filepath.Join(s.folder, "appendonlydir")); err != nil {
		s.tb.Fatal(err)
	}
}

// Port returns the port that it listens at, also while it does not run.
func (s *Server) Port() int { return s.port }

// Addr returns the address that it listens at.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// URL returns the URL of its first database. It has no password.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

func (s *Server) outputFile() string { return filepath.Join(s.folder, "output") }

// eventually waits until the server is in a state that it reaches in its own time.
func (s *Server) eventually(what string, reached func() error) {
	s.tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := reached()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(s.outputFile())
			s.tb.Fatalf("%s never %s: %v. It said:\n%s", s.program, what, err, said)
		}
		time.Sleep(pause)
	}
}
