// Package filesource is a source of configuration: files that list environments and filters, in YAML or JSON, in the form
// that "relayconf watch --output-file" writes. It gives each item a version, and rereads the files when they change.
package filesource

import (
	"encoding/json"

	"github.com/relayconf/relayconf/envfactory"
)

// document is the content of all files of a source.
type document struct {
	environments map[string]item[envfactory.EnvironmentRep]
	filters      map[string]item[envfactory.FilterRep]
}

// item is an environment or a filter as a file has it. Its version is the one in the file, or 0.
type item[R envfactory.EnvironmentRep | envfactory.FilterRep] struct {
	rep  R
	file string
	line int
}

// text returns the item's JSON form on the wire, at a version.
func (i item[R]) text(version int) json.RawMessage {
	var text []byte
	var err error
	switch rep := any(i.rep).(type) {
	case envfactory.EnvironmentRep:
		rep.Version = version
		text, err = json.Marshal(rep)
	case envfactory.FilterRep:
		rep.Version = version
		text, err = json.Marshal(rep)
	}
	if err != nil {
		panic(err) // they consist of texts and numbers
	}
	return text
}

// version returns the version that the file gives, or 0.
func (i item[R]) version() int {
	switch rep := any(i.rep).(type) {
	case envfactory.EnvironmentRep:
		return rep.Version
	case envfactory.FilterRep:
		return rep.Version
	}
	panic("not an item")
}
