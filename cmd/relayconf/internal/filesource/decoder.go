package filesource

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/config"
)

// decoder decodes files into a document, and collects the mistakes.
type decoder struct {
	strictyaml.Decoder
	document document
	owners   map[property]config.EnvironmentID
	listed   bool // a file has a list of environments
}

// file decodes one file. Its mistakes are added to the others.
func (d *decoder) file(path string, data []byte) {
	d.Path = path
	documents, problem := strictyaml.Parse(path, data)
	switch {
	case problem != nil:
		d.Problems = append(d.Problems, *problem)
	case len(documents) == 0:
		d.Problem(&yaml.Node{}, "the file is empty: "+expectedList)
	}
	if problem == nil {
		for _, root := range documents {
			d.root(root)
		}
	}
}

const expectedList = "expected a list \"environments\". To serve none, write \"environments: []\""

var rootFields = []string{"environments", "filters", "format", "version", "writtenAt"}

func (d *decoder) root(root *yaml.Node) {
	d.Members(root, "the file", rootFields, func(name string, value *yaml.Node) {
		switch name {
		case "environments":
			d.listed = true
			d.List(value, name, d.environment)
		case "filters":
			d.List(value, name, d.filter)
		case "format":
			if value.Value != output.Format {
				d.Problem(value, "format must be %q, or left out", output.Format)
			}
		case "version":
			if value.Value != strconv.Itoa(output.Version) {
				d.Problem(value, "version must be %d, or left out: this relayconf knows no other form", output.Version)
			}
		}
	})
}

// id reads an id, which becomes a part of a path.
func (d *decoder) id(node *yaml.Node) string {
	id := d.Token(node, "id")
	if strings.Contains(id, "/") {
		d.Problem(node, "id must not contain a slash")
	}
	return id
}

// maxVersion is the largest integer that every JSON library reads without rounding.
const maxVersion = 1<<53 - 1
