package httpconfig

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

// TestDialLimit needs a port that answers nothing. On Linux that is one whose queue of new connections is full.
func TestDialLimit(t *testing.T) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(socket) })
	require.NoError(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(socket, 0))
	bound, err := syscall.Getsockname(socket)
	require.NoError(t, err)
	addr := fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
		return err != nil
	}, deadline, time.Millisecond)

	client := newLimitedConfig(t, config.ProxyConfig{}, func(l *limits) { l.dial = 20 * time.Millisecond }).Client()
	_, err = get(t, client, "http://"+addr)
	require.ErrorContains(t, err, "i/o timeout")
	require.NoError(t, t.Context().Err())
}

func TestTCPKeepAliveIsOn(t *testing.T) {
	conn, err := newTransport(defaultLimits, nil).DialContext(t.Context(), "tcp", newSilentListener(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	raw, err := conn.(*watchedConn).Conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		for option, want := range map[[2]int]int{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}:   1,
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}:  30,
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}: 15,
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}:   4,
		} {
			got, err := syscall.GetsockoptInt(int(fd), option[0], option[1])
			assert.NoError(t, err)
			assert.Equal(t, want, got, option)
		}
	}))
}
