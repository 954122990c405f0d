//go:build !windows

package keysource

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func namedPipe(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

func TestAPipeThatNobodyWritesIsGivenUp(t *testing.T) {
	t.Parallel()
	_, err := Read(namedPipe(t), "")
	require.ErrorContains(t, err, "is a pipe that has not delivered within 5s")
}

func TestAPipeThatIsHeldOpenIsGivenUp(t *testing.T) {
	t.Parallel()
	path := namedPipe(t)
	held, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer held.Close()
	_, err = Read(path, "")
	require.ErrorContains(t, err, "is a pipe that has not delivered within 5s")
}

func TestAPipeThatIsWrittenLateIsRead(t *testing.T) {
	t.Parallel()
	path := namedPipe(t)
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte("rel-1\n"), 0) }() // waits for a reader
	key, err := Read(path, "")
	require.NoError(t, err)
	require.NoError(t, <-written)
	assert.Equal(t, config.AutoConfigKey("rel-1"), key)
}
