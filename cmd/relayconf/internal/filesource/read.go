package filesource

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// maxFileSize is more than half a million environments take.
const maxFileSize = 256 << 20

// read reads a file, or all files of a folder that are named .yaml, .yml or .json. An error that wraps
// filewatch.ErrBeingWritten is no mistake: the files were caught in the middle of a change.
func read(path string) (document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return document{}, fmt.Errorf("the environments can't be read: %w", err)
	}
	files := []string{path}
	before := filewatch.Take(path)
	if info.IsDir() {
		if files = withKnownNames(filewatch.Visible(path)); len(files) == 0 {
			return document{}, fmt.Errorf("the folder %s has no file named .yaml, .yml or .json: put the environments into one", path)
		}
	}
	d := &decoder{owners: map[property]config.EnvironmentID{}, document: document{
		environments: map[string]item[envfactory.EnvironmentRep]{},
		filters:      map[string]item[envfactory.FilterRep]{},
	}}
	for _, file := range files {
		data, err := filewatch.Read(file, maxFileSize)
		if err != nil {
			return document{}, fmt.Errorf("the environments can't be read: %w", err)
		}
		d.file(file, data)
	}
	if !before.Same(filewatch.Take(path)) {
		return document{}, fmt.Errorf("the environments can't be read: %w", filewatch.ErrBeingWritten)
	}
	if !d.listed && len(d.Problems) == 0 {
		d.Problems = append(d.Problems, strictyaml.Problem{File: path, Text: expectedList})
	}
	if len(d.Problems) > 0 {
		d.Problems.Sort()
		return document{}, d.Problems
	}
	return d.document, nil
}

func withKnownNames(paths []string) []string {
	var known []string
	for _, path := range paths {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".yaml", ".yml", ".json":
			known = append(known, path)
		}
	}
	return known
}

// Check reads files as a source would, and returns the mistakes in them.
func Check(path string) error {
	_, err := read(path)
	return err
}

func isBeingWritten(err error) bool { return errors.Is(err, filewatch.ErrBeingWritten) }
