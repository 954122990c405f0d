// Package atomicfile replaces a file so that a reader finds the old content or the new, whole, and never a part:
// also after a crash or a power cut in the middle of it. The files are for secrets: only their owner may read them.
package atomicfile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Mode is the mode of every file that this package writes.
const Mode os.FileMode = 0o600

// Write replaces the file at path with data. See Replacer.Write.
func Write(path string, data []byte) error {
	return WriteFunc(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFunc replaces the file at path with the output of the function. See Replacer.Write.
func WriteFunc(path string, write func(io.Writer) error) error {
	return Replacer{}.Write(context.Background(), path, write)
}

// Replacer replaces files by steps that can be exchanged, so that a test can have any of them fail. The zero value
// takes the steps of package os.
type Replacer struct {
	Create     func(folder, pattern string) (File, error) // as os.CreateTemp
	Rename     func(from, to string) error                // as os.Rename
	SyncFolder func(path string) error                    // makes a rename in the folder survive a power cut
}

// File has the methods of an *os.File that a Replacer calls.
type File interface {
	io.Writer
	Name() string
	Chmod(os.FileMode) error
	Sync() error
	Close() error
}

// Write replaces the file at path with the output of the function. The folder must exist, and the file need not. If
// the path is a symbolic link, the file that it points to is replaced, and the link stays. If anything fails, the
// function's own error included, or if the context ends, the old content stays and nothing is left over; only when the
// very last step fails, which makes the folder durable, is the new content there despite the error.
//
// Write removes the temporary files of processes that were killed in the middle of a Write, once they are older than a
// day.
func (r Replacer) Write(ctx context.Context, path string, write func(io.Writer) error) error {
	target, err := replaceable(path)
	if err != nil {
		return err
	}
	removeLeftovers(target, time.Now())
	temp, err := r.orDefault().writeTemp(ctx, target, write)
	if err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	if err := r.orDefault().Rename(temp, target); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("could not replace %s: %w", path, err)
	}
	if err := r.orDefault().SyncFolder(filepath.Dir(target)); err != nil {
		return fmt.Errorf("wrote %s, but could not make its folder durable: %w", path, err)
	}
	return nil
}

func (r Replacer) orDefault() Replacer {
	if r.Create == nil {
		r.Create = func(folder, pattern string) (File, error) { return os.CreateTemp(folder, pattern) }
	}
	if r.Rename == nil {
		r.Rename = os.Rename
	}
	if r.SyncFolder == nil {
		r.SyncFolder = SyncFolder
	}
	return r
}

// replaceable follows symbolic links and refuses files that a rename would destroy, such as a device.
func replaceable(path string) (string, error) {
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved
	}
	if info, err := os.Lstat(target); err == nil && info.Mode().IsDir() {
		return "", fmt.Errorf("could not replace %s: it is a folder", path)
	} else if err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("could not replace %s: it is not a regular file", path)
	}
	return target, nil
}

// writeTemp writes a new file beside the target, which keeps the rename within one file system.
func (r Replacer) writeTemp(ctx context.Context, target string, write func(io.Writer) error) (name string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	file, err := r.Create(filepath.Dir(target), tempPrefix(target)+"*")
	if err != nil {
		return "", err
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				_ = file.Close()
			}
			_ = os.Remove(file.Name())
		}
	}()
	if err := file.Chmod(Mode); err != nil {
		return "", err
	}
	buffered := bufio.NewWriter(file)
	if err := write(buffered); err != nil {
		return "", err
	}
	if err := buffered.Flush(); err != nil {
		return "", err
	}
	if err := file.Sync(); err != nil {
		return "", err
	}
	closed = true
	if err := file.Close(); err != nil {
		return "", err
	}
	// The steps above can take long, and whoever ended the context may have given up on this content.
	return file.Name(), ctx.Err()
}

// tempPrefix is how the names of the temporary files of a target begin.
func tempPrefix(target string) string { return "." + filepath.Base(target) + ".tmp-" }
