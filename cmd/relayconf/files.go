package main

import (
	"os"
	"path/filepath"
	"strings"
)

// checkFiles refuses files that watch would destroy, and an output file that can't be made.
func checkFiles(o watchOptions, cache cacheOptions) error {
	if err := checkOutputFile(o.outputFile); err != nil {
		return err
	}
	files := []struct{ flag, path string }{
		{"--key-file", o.keyFile},
		{"--cache-older-key-file", cache.olderKeyFile},
		{"--output-file", o.outputFile},
		{"--cache-file", cache.File},
	}
	for i, written := range files[2:] {
		for _, other := range files[:2+i] {
			if isSameFile(written.path, other.path) {
				return usageError("%s and %s are the same file, which would be overwritten: %s", other.flag, written.flag, written.path)
			}
		}
	}
	return nil
}

// checkOutputFile refuses paths that no file can be written to.
func checkOutputFile(path string) error {
	if path == "" {
		return nil
	}
	if isStandardStream(path) {
		return usageError("--output-file must be a regular file, which is replaced with each change; %s would replace what it is redirected to", path)
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); os.IsNotExist(err) {
		return usageError("--output-file: the folder %s does not exist", folder)
	} else if err == nil && !info.IsDir() {
		return usageError("--output-file: %s is not a folder", folder)
	}
	link, err := os.Lstat(path)
	if err != nil {
		return nil // there is no such file yet, or writing it will report the problem
	}
	info, err := os.Stat(path)
	switch {
	case link.Mode()&os.ModeSymlink != 0 && err != nil:
		return usageError("--output-file: %s is a link to something that does not exist: remove the link, or make the file that it points to", path)
	case err == nil && info.IsDir():
		return usageError("--output-file: %s is a folder: name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		return usageError("--output-file: %s is %s: name a regular file, which is replaced with each change", path, kindOf(info.Mode()))
	}
	return nil
}

// kindOf names the kind of a special file.
func kindOf(mode os.FileMode) string {
	switch {
	case mode&os.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// isStandardStream knows /dev/stdout and the like: links to open files of this process. There are proper files below
// /dev too, in /dev/shm.
func isStandardStream(path string) bool {
	clean := filepath.ToSlash(filepath.Clean(path))
	if !strings.HasPrefix(clean, "/dev/") && !strings.HasPrefix(clean, "/proc/") {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// isSameFile also says so of two names for a file that is not there yet.
func isSameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	absoluteA, errA := filepath.Abs(a)
	absoluteB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absoluteA == absoluteB
}
