package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// goModule is a module of the repository.
type goModule struct {
	folder   string // relative to the root, with slashes; "." is the root
	path     string
	requires []requirement // of other modules of the repository
	files    []string      // relative to the root, with slashes; without those of modules below it
}

type requirement struct{ path, version string }

// isPublished says whether others can import or install the module.
func (m goModule) isPublished() bool {
	return !slices.Contains(strings.Split(m.folder, "/"), "internal")
}

// repository is all modules of a repository, each after those that it requires.
type repository struct {
	root    string
	modules []goModule
}

// readModules reads the modules of the Git work tree at root: the files that Git tracks, and new ones that it does not
// ignore.
func readModules(root string) (*repository, error) {
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("could not list the files of the repository with git: %w", err)
	}
	files := strings.FieldsFunc(string(output), func(r rune) bool { return r == 0 })
	files = slices.DeleteFunc(files, func(file string) bool {
		_, err := os.Lstat(filepath.Join(root, file))
		return err != nil // deleted, but not yet for Git
	})
	r := &repository{root: root}
	for _, file := range files {
		if path.Base(file) == "go.mod" {
			m, err := readModule(root, file)
			if err != nil {
				return nil, err
			}
			r.modules = append(r.modules, m)
		}
	}
	for _, file := range files {
		m := r.moduleOf(file)
		m.files = append(m.files, file)
	}
	return r, r.sort()
}

func readModule(root, file string) (goModule, error) {
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return goModule{}, err
	}
	mod, err := modfile.Parse(file, data, nil)
	if err != nil {
		return goModule{}, err
	}
	m := goModule{folder: path.Dir(file), path: mod.Module.Mod.Path}
	for _, require := range mod.Require {
		m.requires = append(m.requires, requirement{require.Mod.Path, require.Mod.Version})
	}
	return m, nil
}

// moduleOf returns the module that a file belongs to: the one in the nearest folder above it.
func (r *repository) moduleOf(file string) *goModule {
	nearest := -1
	for i, m := range r.modules {
		isIn := m.folder == "." || strings.HasPrefix(file, m.folder+"/")
		if isIn && (nearest < 0 || len(m.folder) > len(r.modules[nearest].folder) || r.modules[nearest].folder == ".") {
			nearest = i
		}
	}
	return &r.modules[nearest]
}

// sort puts each module after those that it requires, and forgets the requirements of other repositories.
func (r *repository) sort() error {
	isOurs := func(q requirement) bool {
		return slices.ContainsFunc(r.modules, func(m goModule) bool { return m.path == q.path })
	}
	for i := range r.modules {
		m := &r.modules[i]
		m.requires = slices.DeleteFunc(m.requires, func(q requirement) bool { return !isOurs(q) })
	}
	var sorted []goModule
	isSorted := func(q requirement) bool {
		return slices.ContainsFunc(sorted, func(m goModule) bool { return m.path == q.path })
	}
	for len(sorted) < len(r.modules) {
		next := slices.IndexFunc(r.modules, func(m goModule) bool {
			missing := slices.ContainsFunc(m.requires, func(q requirement) bool { return !isSorted(q) })
			return !missing && !isSorted(requirement{path: m.path})
		})
		if next < 0 {
			return fmt.Errorf("the modules require each other in a circle; sorted so far: %d of %d", len(sorted), len(r.modules))
		}
		sorted = append(sorted, r.modules[next])
	}
	r.modules = sorted
	return nil
}

func (r *repository) published() []goModule {
	return slices.DeleteFunc(slices.Clone(r.modules), func(m goModule) bool { return !m.isPublished() })
}

// requiredVersion is the one version in which the modules require each other.
func (r *repository) requiredVersion() (string, error) {
	version, by := "", ""
	for _, m := range r.modules {
		for _, require := range m.requires {
			if version == "" {
				version, by = require.version, m.folder
			}
			if require.version != version {
				return "", fmt.Errorf("%s requires %s of a module of this repository, and %s requires %s of another: "+
					"set one version with scripts/release", by, version, m.folder, require.version)
			}
		}
	}
	if version == "" {
		return "", fmt.Errorf("no module in %s requires another", r.root)
	}
	return version, nil
}
