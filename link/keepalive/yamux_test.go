package keepalive

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// yamuxStream is a stream of yamux whose other side neither reads, writes nor closes.
func yamuxStream(t *testing.T) net.Conn {
	settings := yamux.DefaultConfig()
	settings.LogOutput = io.Discard
	here, there := net.Pipe()
	near, err := yamux.Client(here, settings)
	require.NoError(t, err)
	t.Cleanup(func() { near.Close() })
	far, err := yamux.Server(there, settings)
	require.NoError(t, err)
	t.Cleanup(func() { far.Close() })
	stream, err := near.Open()
	require.NoError(t, err)
	_, err = far.Accept()
	require.NoError(t, err)
	return stream
}

// Close of a yamux stream does not end a Read: by itself, that would wait minutes for the other side, which is dead.
func TestARoleOverAYamuxStreamEndsWithoutTheOtherSide(t *testing.T) {
	for name, row := range map[string]struct {
		start func(conn net.Conn) role
		stop  bool
		want  error
	}{
		"a client without an answer": {func(conn net.Conn) role { return NewClient(conn, &Config{Timeout: time.Millisecond}) }, false, ErrTimeout},
		"a client that is stopped":   {func(conn net.Conn) role { return NewClient(conn, &Config{Timeout: time.Hour}) }, true, nil},
		"a server that is stopped":   {func(conn net.Conn) role { return NewServer(conn, nil) }, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			role := row.start(yamuxStream(t))
			role.Start()
			if row.stop {
				role.Stop()
			}
			select {
			case <-role.Done():
				assert.ErrorIs(t, role.Err(), row.want)
			case <-time.After(time.Minute):
				t.Error("it goes on")
			}
		})
	}
}
