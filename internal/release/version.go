package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// setVersion makes every module require this version of the others: in go.mod, in go.sum, and in the replacements of
// go.work. The sums are those that the tags will have, if this is how the tree is committed.
func (r *repository) setVersion(version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version || semver.Major(version) > "v1" {
		return fmt.Errorf("%q is no version to release: it should be like v0.1.0 or v1.2.3; from v2 on, the module's path "+
			"would have to change", version)
	}
	for i := range r.modules {
		if err := r.requireVersion(&r.modules[i], version); err != nil {
			return err
		}
	}
	if err := r.replaceInWorkspace(version); err != nil { // first, since go.work is in the archive of the root
		return err
	}
	sums := map[string]string{}
	for i := range r.modules {
		m := &r.modules[i]
		if err := r.writeSums(m, sums); err != nil {
			return err
		}
		if m.isPublished() {
			lines, err := r.sumLines(*m, version)
			if err != nil {
				return err
			}
			sums[m.path] = lines
		}
	}
	return nil
}

func (r *repository) requireVersion(m *goModule, version string) error {
	if len(m.requires) == 0 {
		return nil
	}
	file := filepath.Join(r.root, m.folder, "go.mod")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(file, data, nil)
	if err != nil {
		return err
	}
	for i := range m.requires {
		m.requires[i].version = version
		if err := mod.AddRequire(m.requires[i].path, version); err != nil {
			return err
		}
	}
	if data, err = mod.Format(); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// writeSums replaces the lines of the repository's own modules in a module's go.sum. The map has the new ones by path.
func (r *repository) writeSums(m *goModule, sums map[string]string) error {
	if len(m.requires) == 0 {
		return nil
	}
	file := filepath.Join(r.root, m.folder, "go.sum")
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(data), "\n"), func(line string) bool {
		of, _, _ := strings.Cut(line, " ")
		return line == "" || slices.ContainsFunc(r.modules, func(m goModule) bool { return m.path == of })
	})
	for _, require := range m.requires {
		after := slices.IndexFunc(lines, func(line string) bool { return line > require.path })
		if after < 0 {
			after = len(lines)
		}
		lines = slices.Insert(lines, after, sums[require.path])
	}
	if sumFile := path.Join(m.folder, "go.sum"); !slices.Contains(m.files, sumFile) {
		m.files = append(m.files, sumFile)
	}
	return os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644)
}

// sumLines returns the lines of go.sum for a module.
func (r *repository) sumLines(m goModule, version string) (string, error) {
	folder, err := os.MkdirTemp("", "release")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	archive := filepath.Join(folder, "archive.zip")
	if err := r.writeArchive(archive, m, version); err != nil {
		return "", err
	}
	sum, err := dirhash.HashZip(archive, dirhash.Hash1)
	if err != nil {
		return "", err
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return os.Open(filepath.Join(r.root, m.folder, "go.mod"))
	})
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.path, version, sum, m.path, version, modSum), err
}

// replaceInWorkspace points the version at the folders of the modules, since it is not published yet.
func (r *repository) replaceInWorkspace(version string) error {
	file := filepath.Join(r.root, "go.work")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		return err
	}
	text := string(data)
	for _, replace := range work.Replace {
		from := replace.Old.Path + " " + replace.Old.Version + " =>"
		text = strings.Replace(text, from, replace.Old.Path+" "+version+" =>", 1)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
