package wire

import (
	"encoding/json"
)

// Decode decodes the data of an event other than a put. The error is ErrIgnored, wrapped, for a name or a path that means
// nothing here; any other means that the data is malformed. No error quotes the data, which holds keys.
//
// It is quick with events as services write them and leaves the rest to encoding/json, so that it understands them as
// encoding/json would.
func Decode(name string, data []byte) (Message, error) {
	switch name {
	case PatchEvent:
		return decodePatch(data)
	case DeleteEvent:
		return decodeDelete(data)
	default:
		return nil, ErrUnknownEvent
	}
}

// The members of a patch.
const (
	memberPatchPath = iota
	memberPatchData
)

var patchMembers = []string{memberPatchPath: `"path":`, memberPatchData: `"data":`}

// decodePatch decodes a patch. Its path says whether it is of an environment, and may come after the data: the data is
// read as an environment at first.
func decodePatch(data []byte) (Message, error) {
	c := cursor{text: data}
	var path, text []byte
	var fields environmentFields
	o := object{names: patchMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberPatchPath:
			path = c.string()
		case memberPatchData:
			c.peek()
			c.start = c.at
			if c.environment(&fields); c.err == nil {
				text = data[c.start:c.at]
			}
		}
	}
	if c.ends() && len(text) > 0 {
		if kind, id, err := parsePath(path); err == nil && kind == Environment {
			patch := &Patch{Kind: Environment}
			fields.item(&patch.Item, string(text), id)
			return patch, nil
		}
	}
	return unusualPatch(data)
}

func unusualPatch(data []byte) (Message, error) {
	var patch struct {
		Path string          `json:"path"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &patch); err != nil {
		return nil, err
	}
	if patch.Path == ConfirmedPath {
		return &Confirmed{}, nil
	}
	kind, id, err := parsePath([]byte(patch.Path))
	if err != nil {
		return nil, err
	}
	if patch.Data == nil {
		patch.Data = json.RawMessage("null") // the zero value
	}
	m := &Patch{Kind: kind}
	if kind == Filter {
		m.Item, err = filterItem(patch.Data, string(id))
	} else {
		_, err = m.Item.decode(patch.Data, 0, 0, id)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// The members of a delete.
const (
	memberDeletePath = iota
	memberDeleteVersion
)

var deleteMembers = []string{memberDeletePath: `"path":`, memberDeleteVersion: `"version":`}

func decodeDelete(data []byte) (Message, error) {
	var deletion struct {
		Path    string `json:"path"`
		Version int    `json:"version"`
	}
	c := cursor{text: data}
	o := object{names: deleteMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberDeletePath:
			deletion.Path = string(c.string())
		case memberDeleteVersion:
			deletion.Version = c.int()
		}
	}
	if !c.ends() {
		deletion.Path, deletion.Version = "", 0
		if err := json.Unmarshal(data, &deletion); err != nil {
			return nil, err
		}
	}
	kind, id, err := parsePath([]byte(deletion.Path))
	if err != nil {
		return nil, err
	}
	return &Delete{Kind: kind, ID: string(id), Version: deletion.Version}, nil
}
