package filewatch

import (
	"os"
	"path/filepath"
	"strings"
)

// State tells versions of files apart.
type State struct {
	paths []string
	state state
}

// Take returns the present state of files and folders. See Start.
func Take(paths ...string) State {
	absolute := make([]string, len(paths))
	for i, path := range paths {
		absolute[i] = path
		if a, err := filepath.Abs(path); err == nil {
			absolute[i] = a
		}
	}
	return State{paths: absolute, state: take(absolute)}
}

// state has an entry for each file, and for each visible entry of each folder.
type state []entry

type entry struct {
	path string
	info os.FileInfo // nil if there is nothing
}

func take(paths []string) state {
	var s state
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			s = append(s, entry{path, nil})
			continue
		}
		if !info.IsDir() {
			s = append(s, entry{path, info})
			continue
		}
		for _, file := range Visible(path) {
			info, _ := os.Stat(file)
			s = append(s, entry{file, info})
		}
	}
	return s
}

// Visible returns the paths of a folder's entries, sorted, but those that begin with a dot: temporary files of editors and
// rsync, and the folders behind the links of Kubernetes. It returns none if the folder can't be read.
func Visible(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var paths []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	return paths
}

func (s state) equal(other state) bool {
	if len(s) != len(other) {
		return false
	}
	for i, e := range s {
		if e.path != other[i].path || !sameContent(e.info, other[i].info) {
			return false
		}
	}
	return true
}

// sameContent goes by identity, size and time of modification.
func sameContent(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// writtenInPlace tells whether a file has another content than before, and is still the same file.
func (s state) writtenInPlace(before state) bool {
	infos := make(map[string]os.FileInfo, len(before))
	for _, e := range before {
		infos[e.path] = e.info
	}
	for _, e := range s {
		old := infos[e.path]
		if e.info != nil && old != nil && os.SameFile(e.info, old) && !sameContent(e.info, old) {
			return true
		}
	}
	return false
}

// foldersOf returns the folder of a path, the path itself if it is a folder, and the folders of every symbolic link on the
// way to it.
func foldersOf(path string) []string {
	const mostLinks = 40 // as on Linux
	var folders []string
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		folders = append(folders, path)
	}
	folders = append(folders, filepath.Dir(path))
	for range mostLinks {
		link, rest, found := firstLink(path)
		if !found {
			break
		}
		folders = append(folders, filepath.Dir(link))
		target, err := os.Readlink(link)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, rest)
	}
	return append(folders, filepath.Dir(path))
}

// firstLink splits a path after its first element that is a symbolic link.
func firstLink(path string) (link, rest string, found bool) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && !os.IsPathSeparator(path[i]) {
			continue
		}
		if info, err := os.Lstat(path[:i]); err == nil && info.Mode()&os.ModeSymlink != 0 {
			return path[:i], path[i:], true
		}
	}
	return "", "", false
}

// Same tells whether nothing has changed between two states.
func (s State) Same(other State) bool { return s.state.equal(other.state) }
