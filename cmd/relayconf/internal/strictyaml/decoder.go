package strictyaml

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Decoder decodes the trees of files, and collects the mistakes.
type Decoder struct {
	Path     string // of the present file
	Problems Problems
}

// Problem adds a mistake at a node's line.
func (d *Decoder) Problem(node *yaml.Node, format string, args ...any) {
	d.Problems = append(d.Problems, Problem{File: d.Path, Line: node.Line, Text: fmt.Sprintf(format, args...)})
}

// fieldName is the form of field names. Others are not quoted: a key may have come into the place of a name.
var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,30}$`)

// Members calls read for each member of an object that is not null. It reports unknown members and those that are there twice.
func (d *Decoder) Members(node *yaml.Node, object string, fields []string, read func(name string, value *yaml.Node)) bool {
	node = Resolved(node)
	if node.Kind != yaml.MappingNode {
		d.Problem(node, "expected %s as an object with the fields %s", object, strings.Join(fields, ", "))
		return false
	}
	seen := make([]string, 0, len(fields))
	d.eachMember(node, 0, func(name, value *yaml.Node, merged bool) {
		switch {
		case !slices.Contains(fields, name.Value):
			if isExtension := strings.HasPrefix(name.Value, "x-"); isExtension {
				return // a place for YAML anchors
			}
			problem := "has a field whose name may be a key"
			if fieldName.MatchString(name.Value) {
				problem = "has no field " + strconv.Quote(name.Value)
			}
			d.Problem(name, "%s %s: expected %s", object, problem, strings.Join(fields, ", "))
		case slices.Contains(seen, name.Value):
			if !merged { // a merged member does not count where there is a value
				d.Problem(name, "%s is there twice", name.Value)
			}
		default:
			seen = append(seen, name.Value)
			if value = Resolved(value); !isNull(value) {
				read(name.Value, value)
			}
		}
	})
	return true
}

// eachMember calls f for each member, and then for those that YAML merges in with "<<".
func (d *Decoder) eachMember(node *yaml.Node, depth int, f func(name, value *yaml.Node, merged bool)) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], Resolved(node.Content[i+1])
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
		merge = Resolved(merge)
		if merge.Kind != yaml.MappingNode || depth > maxDepth {
			d.Problem(merge, "\"<<\" must name an object, or a list of objects")
			continue
		}
		d.eachMember(merge, depth+1, f)
	}
}

// Resolved follows YAML aliases.
func Resolved(node *yaml.Node) *yaml.Node {
	for range maxDepth {
		if node.Kind != yaml.AliasNode || node.Alias == nil {
			break
		}
		node = node.Alias
	}
	return node
}

// List calls read for each element of a list.
func (d *Decoder) List(node *yaml.Node, name string, read func(*yaml.Node)) {
	if node.Kind != yaml.SequenceNode {
		d.Problem(node, "%s must be a list", name)
		return
	}
	for _, element := range node.Content {
		read(element)
	}
}

// Text reads a name or an id. Scalars of any type count as they are written: an id of digits is no number. In the place of
// something else it returns a text that is not empty, so that the field does not count as missing.
func (d *Decoder) Text(node *yaml.Node, field string) string {
	if node.Kind != yaml.ScalarNode {
		d.Problem(node, "%s must be a text", field)
		return "?"
	}
	return node.Value
}

// Token reads a key, or something else that goes into headers and paths.
func (d *Decoder) Token(node *yaml.Node, field string) string {
	text := d.Text(node, field)
	if strings.ContainsFunc(text, unfit) {
		d.Problem(node, "%s must be of plain characters, without spaces", field)
	}
	return text
}

func unfit(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || !unicode.IsPrint(r) }

// Integer reads a whole number. After a mistake it returns the least.
func (d *Decoder) Integer(node *yaml.Node, field string, least, most int) int {
	number, err := strconv.Atoi(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || number < least || number > most {
		d.Problem(node, "%s must be a whole number of at least %d, and at most %d", field, least, most)
		return least
	}
	return number
}

// Bool reads true or false.
func (d *Decoder) Bool(node *yaml.Node, field string) bool {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
		d.Problem(node, "%s must be true or false", field)
		return false
	}
	return strings.EqualFold(node.Value, "true")
}

// Time reads a time as of RFC 3339. After a mistake it returns the zero time.
func (d *Decoder) Time(node *yaml.Node, field string) time.Time {
	parsed, err := time.Parse(time.RFC3339, node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || parsed.Unix() <= 0 {
		d.Problem(node, "%s must be a time with a zone, such as 2027-01-31T18:00:00Z", field)
		return time.Time{}
	}
	return parsed
}
