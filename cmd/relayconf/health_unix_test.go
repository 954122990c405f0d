//go:build !windows

package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// systemd is the socket of a service manager that wants to hear each 10 ms that a command is alive.
type systemd struct {
	t      *testing.T
	socket *net.UnixConn
}

func newSystemd(t *testing.T) *systemd {
	folder, err := os.MkdirTemp("", "notify") // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "s"), Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	return &systemd{t, socket}
}

// variables are for the environment of the command.
func (s *systemd) variables() []string {
	return []string{"NOTIFY_SOCKET=" + s.socket.LocalAddr().String(), "WATCHDOG_USEC=20000"}
}

// next is the next thing that the command tells.
func (s *systemd) next() string {
	require.NoError(s.t, s.socket.SetReadDeadline(time.Now().Add(soon)))
	message := make([]byte, 1000)
	n, err := s.socket.Read(message)
	require.NoError(s.t, err)
	return string(message[:n])
}

// hears waits until the command tells a thing, and never another one before that.
func (s *systemd) hears(want, never string) {
	s.t.Helper()
	for deadline := time.Now().Add(soon); ; {
		message := s.next()
		if message == want {
			return
		}
		require.NotEqual(s.t, never, message)
		require.True(s.t, time.Now().Before(deadline), "%s does not come", want)
	}
}

// readOn takes all that is yet to come: to a manager that does not read, a command can't tell that it is alive.
func (s *systemd) readOn() {
	_ = s.socket.SetReadDeadline(time.Time{})
	go func() { _, _ = io.Copy(io.Discard, s.socket) }()
}

func TestSystemdIsToldWhenWatchHasAConfiguration(t *testing.T) {
	t.Parallel()
	systemd := newSystemd(t)
	upstream := autoconfigtest.NewServer(t)
	w := start(t, append(service(upstream.URL), systemd.variables()...), "watch")
	upstream.WaitForConnections(1, soon)
	for range 10 {
		require.Equal(t, "WATCHDOG=1", systemd.next(), "it is alive, but has no configuration yet")
	}
	upstream.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	systemd.hears("READY=1", "STOPPING=1")
	w.signal(syscall.SIGTERM)
	systemd.hears("STOPPING=1", "READY=1")
	systemd.readOn()
	w.exit(exitOK)
}
