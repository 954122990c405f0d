// Package atomicfile replaces a file so that a reader finds the old content or the new, whole, and never a part:
// also after a crash or a power cut in the middle of it. The files are for secrets: only their owner may read them.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Mode is the mode of every file that this package writes.
const Mode os.FileMode = 0o600

// Write replaces the file at path with data. See WriteFunc.
func Write(path string, data []byte) error {
	return WriteFunc(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFunc replaces the file at path with what the function writes. The folder must exist, and the file need not. If
// the path is a symbolic link, the file that it points to is replaced, and the link stays. If anything fails, the
// function's own error included, the old content stays and nothing is left over; only when the very last step fails,
// which makes the folder durable, is the new content there despite the error.
func WriteFunc(path string, write func(io.Writer) error) error {
	target, err := replaceable(path)
	if err != nil {
		return err
	}
	temp, err := writeTemp(target, write)
	if err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	if err := os.Rename(temp, target); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("could not replace %s: %w", path, err)
	}
	if err := syncFolder(filepath.Dir(target)); err != nil {
		return fmt.Errorf("wrote %s, but could not make its folder durable: %w", path, err)
	}
	return nil
}

// replaceable follows symbolic links and refuses what a rename would destroy, such as a device.
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
func writeTemp(target string, write func(io.Writer) error) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".tmp-*")
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
	return file.Name(), file.Close()
}
