package filewatch

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFileThatAProcessHasOpenForWritingIsNotRead(t *testing.T) {
	t.Parallel()
	r := &reader{path: filepath.Join(t.TempDir(), "file")}
	write(t, r.path, "the old content")
	w := Start(Take(r.path), r.reread)
	defer w.Close()

	writer, err := os.OpenFile(r.path, os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = writer.WriteString("half of ")
	require.NoError(t, err)
	_, err = Read(r.path, 100)
	require.ErrorIs(t, err, ErrBeingWritten)
	<-time.After(2*settleWritten + settleReplaced) // the writer pauses for longer than files take to settle
	_, err = writer.WriteString("the new content")
	require.NoError(t, err)
	require.NoError(t, writer.Close())

	r.says(t, "half of the new content")
	for _, content := range r.contents() {
		assert.Equal(t, "half of the new content", content)
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	_, err := Read(fifo, 100)
	assert.ErrorContains(t, err, "not a regular file")
	_, err = Read(folder, 100)
	assert.ErrorContains(t, err, "is a folder")
	write(t, filepath.Join(folder, "large"), "large")
	_, err = Read(filepath.Join(folder, "large"), 4)
	assert.ErrorContains(t, err, "wrong file")
	_, err = Read(filepath.Join(folder, "nothing"), 4)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
