package filewatch

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrBeingWritten means that a file changed while it was read, or that a process has it open for writing: the bytes
// that were read may be a part of it.
var ErrBeingWritten = errors.New("it is being written at this moment")

// Read returns the content of a file of at most limit bytes. It returns an error that wraps ErrBeingWritten rather than a
// part of a file: the system tells (on Linux, of files that this user owns) whether a process has it open for writing.
func Read(path string, limit int64) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, where a file is expected", path)
	case !info.Mode().IsRegular(): // to open a FIFO can take for ever
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	before, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case before.Size() > limit:
		return nil, fmt.Errorf("%s is larger than %d bytes: this seems to be the wrong file", path, limit)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, fmt.Errorf("%s can't be read: %w", path, err)
	}
	after, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != before.Size() || !sameContent(before, after) || openForWriting(file) {
		return nil, fmt.Errorf("%s can't be read: %w", path, ErrBeingWritten)
	}
	return data, nil
}
