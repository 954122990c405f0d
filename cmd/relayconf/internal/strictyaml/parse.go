// Package strictyaml decodes YAML and JSON that people write: each mistake names its line and the expectation, and an
// unknown field is a mistake. No mistake quotes a value, since that may be a key.
package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse returns the documents of a file as trees with line numbers, without the empty ones.
func Parse(path string, data []byte) ([]*yaml.Node, *Problem) {
	if isJSON(path, data) {
		node, problem := parseJSON(path, data)
		return []*yaml.Node{node}, problem
	}
	var documents []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var node yaml.Node
		err := decoder.Decode(&node)
		switch {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			problem := yamlProblem(path, data, err)
			return nil, &problem
		case len(node.Content) > 0 && !isNull(node.Content[0]):
			documents = append(documents, node.Content[0])
		}
	}
}

// isJSON goes by the name, and by the first character where the name does not tell.
func isJSON(path string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
}

// yamlProblem makes a problem of an error of the YAML library. Its errors about the syntax quote no values, but for the
// names of anchors: a value with a star before it looks like one.
func yamlProblem(path string, data []byte, err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, found := strings.CutPrefix(text, "line "); found {
		number, why, _ := strings.Cut(rest, ": ")
		line, _ = strconv.Atoi(number)
		text = why
	}
	if strings.HasPrefix(text, "unknown anchor") {
		text = "unknown anchor; put a value that begins with * in quotes"
	}
	// The scanner of the library says where it is; its parser says where the surrounding list or object begins.
	ofParser := strings.HasPrefix(text, "did not find expected") || strings.Contains(text, "tab character")
	if line == 0 || ofParser {
		line = lastLineRead(data)
	}
	return Problem{File: path, Line: line, Text: "this is not YAML: " + text}
}

// lastLineRead returns the number of the line that the library had read when it found the mistake.
func lastLineRead(data []byte) int {
	lines := &lineReader{rest: data}
	decoder := yaml.NewDecoder(lines)
	for decoder.Decode(new(yaml.Node)) == nil {
	}
	return lines.read
}

// lineReader returns one line with each Read, and counts them.
type lineReader struct {
	rest []byte
	left []byte // of the latest line
	read int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		end := bytes.IndexByte(r.rest, '\n') + 1
		if end == 0 {
			end = len(r.rest)
		}
		r.left, r.rest = r.rest[:end], r.rest[end:]
		r.read++
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// maxDepth is more than the form of the files has.
const maxDepth = 20

// jsonParser makes a tree of JSON. YAML 1.2 would include JSON, but not all of its escapes are read by the library.
type jsonParser struct {
	decoder *json.Decoder
	data    []byte
	counted int64 // up to this offset, lines are counted
	line    int
}

func parseJSON(path string, data []byte) (*yaml.Node, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	p := &jsonParser{decoder: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	p.decoder.UseNumber()
	node, err := p.value(0)
	if err == nil {
		if _, end := p.decoder.Token(); !errors.Is(end, io.EOF) {
			p.at()
			err = errors.New("there is more after the end of the object")
		}
	}
	if err == nil {
		return node, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		p.countTo(syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		p.countTo(int64(len(data)))
		err = errors.New("it ends too early: has all of it been written?")
	}
	return nil, &Problem{File: path, Line: p.line, Text: "this is not JSON: " + err.Error()}
}

// at returns the line of the latest token.
func (p *jsonParser) at() int {
	p.countTo(p.decoder.InputOffset())
	return p.line
}

func (p *jsonParser) countTo(offset int64) {
	offset = min(offset, int64(len(p.data)))
	if offset > p.counted {
		p.line += bytes.Count(p.data[p.counted:offset], []byte("\n"))
		p.counted = offset
	}
}

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: p.at()}
	switch token := token.(type) {
	case json.Delim:
		if depth > maxDepth {
			return nil, fmt.Errorf("it is nested more than %d levels deep", maxDepth)
		}
		node.Kind = yaml.SequenceNode
		if token == '{' {
			node.Kind = yaml.MappingNode
		}
		for p.decoder.More() {
			child, err := p.value(depth + 1) // the names of members come as strings
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		_, err = p.decoder.Token() // the closing bracket
		return node, err
	case string:
		node.Tag, node.Value = "!!str", token
	case json.Number:
		node.Tag, node.Value = "!!float", token.String()
		if _, err := token.Int64(); err == nil {
			node.Tag = "!!int"
		}
	case bool:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(token)
	case nil:
		node.Tag = "!!null"
	}
	return node, nil
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}
