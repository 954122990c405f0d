// Package keyfile reads the file that gives each relay of a hub its own key, and rereads it when it changes.
package keyfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
	"github.com/relayconf/relayconf/config"
)

// maxSize is more than a hundred thousand keys take.
const maxSize = 32 << 20

// Key is an entry of the file.
type Key struct {
	Name         string
	Key          config.AutoConfigKey // empty if SHA256 is given
	SHA256       string               // 64 hexadecimal digits
	Projects     []string             // patterns
	Environments []string             // patterns of project/environment
	RelayNames   []string             // patterns
}

var (
	rootFields = []string{"keys"}
	fields     = []string{"name", "key", "keySha256", "projects", "environments", "names"}
)

// Read reads the file. The error is strictyaml.Problems if the file has mistakes, and wraps filewatch.ErrBeingWritten if it
// was caught in the middle of a change. No error quotes a key.
func Read(path string) ([]Key, error) {
	data, err := filewatch.Read(path, maxSize)
	if err != nil {
		return nil, fmt.Errorf("the keys can't be read: %w", err)
	}
	documents, problem := strictyaml.Parse(path, data)
	if problem != nil {
		return nil, strictyaml.Problems{*problem}
	}
	d := &decoder{Decoder: strictyaml.Decoder{Path: path}, names: map[string]int{}, hashes: map[[sha256.Size]byte]int{}}
	for _, root := range documents {
		d.Members(root, "the key file", rootFields, func(_ string, value *yaml.Node) {
			d.List(value, "keys", d.key)
		})
	}
	if len(d.keys) == 0 && len(d.Problems) == 0 {
		d.Problem(&yaml.Node{}, "there is no key: expected a list \"keys\" of at least one. Without any, no relay could connect")
	}
	if len(d.Problems) > 0 {
		d.Problems.Sort()
		return nil, d.Problems
	}
	return d.keys, nil
}

// decoder collects the keys.
type decoder struct {
	strictyaml.Decoder
	keys   []Key
	names  map[string]int            // their lines
	hashes map[[sha256.Size]byte]int // their lines
}

func (d *decoder) key(node *yaml.Node) {
	var k Key
	before := len(d.Problems)
	if !d.Members(node, "a key", fields, func(name string, value *yaml.Node) {
		switch name {
		case "name":
			k.Name = d.Text(value, name)
		case "key":
			k.Key = config.AutoConfigKey(d.Token(value, name))
		case "keySha256":
			k.SHA256 = d.hash(value)
		case "projects":
			k.Projects = d.patterns(value, name)
		case "environments":
			k.Environments = d.environmentPatterns(value)
		case "names":
			k.RelayNames = d.patterns(value, name)
		}
	}) {
		return
	}
	node = strictyaml.Resolved(node)
	switch {
	case k.Name == "":
		d.Problem(node, "a key needs a name, which logs call it by")
	case k.Key == "" && k.SHA256 == "":
		d.Problem(node, "a key needs a key, or its SHA-256 as keySha256")
	case k.Key != "" && k.SHA256 != "":
		d.Problem(node, "a key has a key or a keySha256, not both")
	}
	if len(d.Problems) > before {
		return
	}
	if line := d.names[k.Name]; line != 0 {
		d.Problem(node, "the name is that of the key in line %d, too: expected each name once", line)
	}
	hash := sha256.Sum256([]byte(k.Key))
	if k.SHA256 != "" {
		_, _ = hex.Decode(hash[:], []byte(k.SHA256))
	}
	if line := d.hashes[hash]; line != 0 {
		d.Problem(node, "the key is the same as in line %d: expected each key once", line)
	}
	d.names[k.Name], d.hashes[hash] = node.Line, node.Line
	d.keys = append(d.keys, k)
}

func (d *decoder) hash(node *yaml.Node) string {
	hash := strings.ToLower(d.Token(node, "keySha256"))
	if decoded, err := hex.DecodeString(hash); err != nil || len(decoded) != sha256.Size {
		d.Problem(node, "keySha256 must be 64 hexadecimal digits, as of: printf %%s \"$KEY\" | sha256sum")
	}
	return hash
}

// patterns reads a list of patterns. An empty list would select everything, which nobody who writes one means.
func (d *decoder) patterns(node *yaml.Node, field string) []string {
	var patterns []string
	d.List(node, field, func(element *yaml.Node) {
		pattern := d.Text(element, field)
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			d.Problem(element, "%s has a pattern that is empty or malformed: * and ? stand for characters, [ needs its ]", field)
		}
		patterns = append(patterns, pattern)
	})
	if len(patterns) == 0 && node.Kind == yaml.SequenceNode {
		d.Problem(node, "%s is an empty list: leave it out to select all, or remove the key", field)
	}
	return patterns
}

func (d *decoder) environmentPatterns(node *yaml.Node) []string {
	patterns := d.patterns(node, "environments")
	for i, pattern := range patterns {
		if strings.Count(pattern, "/") != 1 {
			d.Problem(strictyaml.Resolved(node.Content[i]), "a pattern in environments must look like project/environment, such as web/*")
		}
	}
	return patterns
}
