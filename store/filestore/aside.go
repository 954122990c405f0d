package filestore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/relayconf/relayconf/internal/atomicfile"
	"github.com/relayconf/relayconf/store"
)

const (
	// kept is how many files stay set aside. One that is wanted again is among the latest, and each may be large.
	kept = 5

	asideInfix = ".damaged-"
	asideTime  = "20060102T150405.000000000Z" // sorts by time
)

// setAside renames the file that could not be used, and notes in the error what became of it. Another process may have
// replaced the file meanwhile by one that is good: that one stays, or comes back.
func (s *Store) setAside(unreadable *store.UnreadableError, info fs.FileInfo) {
	path := s.path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	now, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !same(now, info)) {
		return
	}
	rename := s.replacer.Rename
	if rename == nil {
		rename = os.Rename
	}
	aside := path + asideInfix + time.Now().UTC().Format(asideTime)
	if err := rename(path, aside); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			unreadable.Failed = err
		}
		return
	}
	if moved, err := os.Stat(aside); err == nil && !same(moved, info) {
		putBack(aside, path)
		return
	}
	_ = atomicfile.SyncFolder(filepath.Dir(path))
	unreadable.SetAside = aside
	removeOldest(path)
}

// same reports whether two files are one. The number of a file that is gone is soon given to another, so that the time
// counts, too.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// putBack undoes a renaming, unless there is a newer file by now.
func putBack(aside, path string) {
	if err := os.Link(aside, path); err == nil || errors.Is(err, fs.ErrExist) {
		_ = os.Remove(aside)
	}
}

func removeOldest(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // it is only about room on the disk
	}
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+asideInfix) && entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	for _, name := range names[:max(0, len(names)-kept)] {
		_ = os.Remove(filepath.Join(filepath.Dir(path), name))
	}
}
