//go:build !windows

package main

import (
	"io"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startOnTerminal starts the command on a terminal of this width. All that the terminal gets is in stdout.
func startOnTerminal(t *testing.T, columns uint16, args ...string) *process {
	t.Helper()
	near, far, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(far, &pty.Winsize{Rows: 24, Cols: columns}))
	p := prepare(t, []string{"TERM=xterm-256color"}, args...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = far, far, far
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	read := make(chan struct{})
	p.terminalRead = read
	go func() {
		defer close(read)
		_, _ = io.Copy(&p.stdout, near) // Linux ends it with EIO, when the last process has closed the other end
	}()
	t.Cleanup(func() { _ = near.Close() })
	p.run()
	require.NoError(t, far.Close())
	return p
}

func TestServeDemoGoesOnForAPersonUntilCtrlC(t *testing.T) {
	t.Parallel()
	p := startOnTerminal(t, 100, "serve", "--demo")
	p.says(&p.stdout, "It goes on like this until Ctrl-C")
	p.says(&p.stdout, "the relay of the shop has its key again")
	p.signal(syscall.SIGINT)
	p.exit(exitOK)
	assert.NotContains(t, p.stdout.String(), "That was the demo")
	assert.Contains(t, p.stdout.String(), "\x1b[1m# The relays connect", "remarks are bold")
}
