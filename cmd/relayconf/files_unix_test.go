//go:build !windows

package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

func TestWhatIsInTheOutputFilesPlaceIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fifo, dangling, socket := filepath.Join(folder, "fifo"), filepath.Join(folder, "dangling"), filepath.Join(folder, "s")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.NoError(t, os.Symlink("missing", dangling))
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	for path, says := range map[string]string{
		folder:     "is a folder: name a file in it",
		fifo:       "is a named pipe: name a regular file",
		socket:     "is a socket: name a regular file",
		os.DevNull: "is a device: name a regular file",
		dangling:   "is a link to something that does not exist: remove the link, or make the file",
	} {
		p := start(t, service(nowhere), "watch", "--output-file", path)
		p.exit(exitUsage)
		assert.Contains(t, p.stderr.String(), says)
	}
	_, err = os.Readlink(dangling)
	require.NoError(t, err, "it is still a link")
}

func TestTheModeOfTheOutputFile(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	there := write(t, inFolder(t, "envs.json"), "")
	require.NoError(t, os.Chmod(there, 0o640))
	for name, test := range map[string]struct {
		path string
		args []string
		want fs.FileMode
	}{
		"new":                {inFolder(t, "envs.json"), nil, 0o600},
		"new, with a mode":   {inFolder(t, "envs.json"), []string{"--output-mode", "0644"}, 0o644},
		"there":              {there, nil, 0o640},
		"there, with a mode": {write(t, inFolder(t, "envs.json"), ""), []string{"--output-mode", "444"}, 0o444},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, service(server.URL), append([]string{"watch", "--once", "--output-file", test.path}, test.args...)...)
			p.exit(exitOK)
			assert.Len(t, readOutput(t, test.path).Environments, 1)
			info, err := os.Stat(test.path)
			require.NoError(t, err)
			assert.Equal(t, test.want, info.Mode())
		})
	}
}
