package filestore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/relayconf/relayconf/store"
)

const (
	// kept is how many files of each kind stay set aside. One that is wanted again is among the latest, and each may be
	// large.
	kept = 5

	asideTime = "20060102T150405.000000000Z" // sorts by time
)

// aside is a file that is set aside while another is put in its place.
type aside struct {
	from, path string // where it was, and is now
	prefix     string // of the paths of all that were set aside for the same reason
	info       fs.FileInfo
}

// setAside gives the file at s.path a second name, so that it is still there when the first name is replaced. It returns
// nil if that file is not the one of info any more: then another process has replaced it by its own.
func (s *Store) setAside(kind string, info fs.FileInfo) (*aside, error) {
	a := &aside{from: s.target(), info: info}
	a.prefix = a.from + "." + kind + "-"
	a.path = a.prefix + time.Now().UTC().Format(asideTime)
	err := s.link(a.from, a.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = s.rename(a.from, a.path) // some file systems have no second names
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if moved, err := os.Stat(a.path); err != nil || !same(moved, info) {
		a.putBack()
		return nil, nil
	}
	return a, nil
}

// undo is for a file that was not replaced after all. If it was, it stays aside, although something failed after that.
func (a *aside) undo() {
	if now, err := os.Stat(a.from); err == nil && !same(now, a.info) {
		return
	}
	a.putBack()
}

// putBack removes the second name. If it is the only one, the file gets its first name again, unless there is another
// file by now.
func (a *aside) putBack() {
	if err := os.Link(a.path, a.from); err == nil || errors.Is(err, fs.ErrExist) {
		_ = os.Remove(a.path)
	} else {
		_ = os.Rename(a.path, a.from)
	}
}

// target is the file itself if the path is a symbolic link.
func (s *Store) target() string {
	if resolved, err := filepath.EvalSymlinks(s.path); err == nil {
		return resolved
	}
	return s.path
}

// same reports whether two files are one. The number of a file that is gone is soon given to another, so that the time
// counts, too.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// settle says that the new file is in place: it completes the error with the place of the old one, and removes the oldest
// files of its kind.
func (a *aside) settle(unreadable *store.UnreadableError) {
	unreadable.SetAside = a.path
	folder := filepath.Dir(a.path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // it is only about room on the disk
	}
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(a.prefix)) && entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	for _, name := range names[:max(0, len(names)-kept)] {
		_ = os.Remove(filepath.Join(folder, name))
	}
}
