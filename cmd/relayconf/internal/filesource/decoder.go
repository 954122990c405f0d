package filesource

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/output"
)

// decoder decodes files into a document, and collects the mistakes.
type decoder struct {
	path     string // of the present file
	document document
	problems Problems
	listed   bool // a file has a list of environments
}

func (d *decoder) problem(node *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.path, Line: node.Line, Text: fmt.Sprintf(format, args...)})
}

// file decodes one file. Its mistakes are added to the others.
func (d *decoder) file(path string, data []byte) {
	d.path = path
	documents, problem := parse(path, data)
	switch {
	case problem != nil:
		d.problems = append(d.problems, *problem)
	case len(documents) == 0:
		d.problem(&yaml.Node{}, "the file is empty: "+expectedList)
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
	d.members(root, "the file", rootFields, func(name string, value *yaml.Node) {
		switch name {
		case "environments":
			d.listed = true
			d.list(value, name, d.environment)
		case "filters":
			d.list(value, name, d.filter)
		case "format":
			if value.Value != output.Format {
				d.problem(value, "format must be %q, or left out", output.Format)
			}
		case "version":
			if value.Value != strconv.Itoa(output.Version) {
				d.problem(value, "version must be %d, or left out: this relayconf knows no other form", output.Version)
			}
		}
	})
}

// fieldName is what names of fields look like. Others are not quoted: a key may have come into the place of a name.
var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,30}$`)

// members calls read for each member of an object that is not null. It reports unknown members and those that are there twice.
func (d *decoder) members(node *yaml.Node, object string, fields []string, read func(name string, value *yaml.Node)) bool {
	node = resolved(node)
	if node.Kind != yaml.MappingNode {
		d.problem(node, "expected %s as an object with the fields %s", object, strings.Join(fields, ", "))
		return false
	}
	seen := make([]string, 0, len(fields))
	d.eachMember(node, 0, func(name, value *yaml.Node, merged bool) {
		switch {
		case !slices.Contains(fields, name.Value):
			if isExtension := strings.HasPrefix(name.Value, "x-"); isExtension {
				return // a place for YAML anchors
			}
			quoted := "this field"
			if fieldName.MatchString(name.Value) {
				quoted = strconv.Quote(name.Value)
			}
			d.problem(name, "%s has no field %s: expected %s", object, quoted, strings.Join(fields, ", "))
		case slices.Contains(seen, name.Value):
			if !merged { // what is merged in does not count where there is a value
				d.problem(name, "%s is there twice", name.Value)
			}
		default:
			seen = append(seen, name.Value)
			if value = resolved(value); !isNull(value) {
				read(name.Value, value)
			}
		}
	})
	return true
}

// eachMember calls f for each member, and then for those that YAML merges in with "<<".
func (d *decoder) eachMember(node *yaml.Node, depth int, f func(name, value *yaml.Node, merged bool)) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], resolved(node.Content[i+1])
		switch {
		case name.Value != "<<" || name.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			f(name, value, depth > 0)
		case value.Kind == yaml.SequenceNode:
			merges = append(merges, value.Content...)
		default:
			merges = append(merges, value)
		}
	}
	for _, merge := range merges {
		merge = resolved(merge)
		if merge.Kind != yaml.MappingNode || depth > maxDepth {
			d.problem(merge, "\"<<\" must name an object, or a list of objects")
			continue
		}
		d.eachMember(merge, depth+1, f)
	}
}

func resolved(node *yaml.Node) *yaml.Node {
	for range maxDepth {
		if node.Kind != yaml.AliasNode || node.Alias == nil {
			break
		}
		node = node.Alias
	}
	return node
}

func (d *decoder) list(node *yaml.Node, name string, read func(*yaml.Node)) {
	if node.Kind != yaml.SequenceNode {
		d.problem(node, "%s must be a list", name)
		return
	}
	for _, element := range node.Content {
		read(element)
	}
}

// text reads a name or an id. Scalars of any type count as they are written: an id of digits is no number. In the place of
// something else it returns a text that is not empty, so that the field does not count as missing.
func (d *decoder) text(node *yaml.Node, field string) string {
	if node.Kind != yaml.ScalarNode {
		d.problem(node, "%s must be a text", field)
		return "?"
	}
	return node.Value
}

// token reads a key, or something else that goes into headers and paths.
func (d *decoder) token(node *yaml.Node, field string) string {
	text := d.text(node, field)
	if strings.ContainsFunc(text, unfit) {
		d.problem(node, "%s must be of plain characters, without spaces", field)
	}
	return text
}

func unfit(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || !unicode.IsPrint(r) }

// id reads an id, which becomes a part of a path.
func (d *decoder) id(node *yaml.Node) string {
	id := d.token(node, "id")
	if strings.Contains(id, "/") {
		d.problem(node, "id must not contain a slash")
	}
	return id
}

// maxVersion is what every JSON library reads without rounding.
const maxVersion = 1<<53 - 1

func (d *decoder) integer(node *yaml.Node, field string, least, most int) int {
	number, err := strconv.Atoi(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || number < least || number > most {
		d.problem(node, "%s must be a whole number of at least %d, and at most %d", field, least, most)
		return least
	}
	return number
}

func (d *decoder) bool(node *yaml.Node, field string) bool {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
		d.problem(node, "%s must be true or false", field)
		return false
	}
	return strings.EqualFold(node.Value, "true")
}

func (d *decoder) time(node *yaml.Node, field string) time.Time {
	parsed, err := time.Parse(time.RFC3339, node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || parsed.Unix() <= 0 {
		d.problem(node, "%s must be a time with a zone, such as 2027-01-31T18:00:00Z", field)
		return time.Time{}
	}
	return parsed
}
