package main

import (
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// license goes into the archive of each module that has none of its own, as the go command does it for a tag.
const license = "LICENSE"

// writeProxy makes a folder that the go command takes as a module proxy, with one version of each published module.
func (r *repository) writeProxy(folder, version string) error {
	for _, m := range r.published() {
		escaped, err := module.EscapePath(m.path)
		if err != nil {
			return err
		}
		versions := filepath.Join(folder, filepath.FromSlash(escaped), "@v")
		if err := os.MkdirAll(versions, 0o755); err != nil {
			return err
		}
		info, err := json.Marshal(struct {
			Version string
			Time    time.Time
		}{version, time.Now().UTC()})
		if err != nil {
			return err
		}
		mod, err := os.ReadFile(filepath.Join(r.root, m.folder, "go.mod"))
		if err != nil {
			return err
		}
		for name, data := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod} {
			if err := os.WriteFile(filepath.Join(versions, name), data, 0o644); err != nil {
				return err
			}
		}
		if err := r.writeArchive(filepath.Join(versions, version+".zip"), m, version); err != nil {
			return err
		}
	}
	return nil
}

func (r *repository) writeArchive(name string, m goModule, version string) (err error) {
	var files []zip.File
	hasLicense := false
	for _, file := range m.files {
		inModule := strings.TrimPrefix(file, m.folder+"/")
		hasLicense = hasLicense || inModule == license
		files = append(files, archived{r.root, file, inModule})
	}
	if !hasLicense {
		files = append(files, archived{r.root, license, license})
	}
	archive, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := archive.Close(); err == nil {
			err = closeErr
		}
	}()
	return zip.Create(archive, module.Version{Path: m.path, Version: version}, files)
}

// archived is a file of a module.
type archived struct{ root, file, inModule string }

func (a archived) Path() string                 { return path.Clean(a.inModule) }
func (a archived) Lstat() (os.FileInfo, error)  { return os.Lstat(a.full()) }
func (a archived) Open() (io.ReadCloser, error) { return os.Open(a.full()) }
func (a archived) full() string                 { return filepath.Join(a.root, filepath.FromSlash(a.file)) }
