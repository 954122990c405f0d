package autoconfig

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func decodePut(data []byte) (message, error) {
	var put struct {
		Path string `json:"path"`
		Data struct {
			Environments members[config.EnvironmentID, envfactory.EnvironmentRep] `json:"environments"`
			Filters      members[config.FilterID, envfactory.FilterRep]           `json:"filters"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &put); err != nil {
		return nil, err
	}
	if put.Path != "/" {
		return nil, fmt.Errorf(`%w: its path is not "/"`, errIgnored)
	}
	return putMessage{environments: put.Data.Environments, filters: put.Data.Filters}, nil
}

func decodePatch(data []byte) (message, error) {
	var patch struct {
		Path string          `json:"path"`
		Data json.RawMessage `json:"data"` // what it is depends on the path
	}
	if err := json.Unmarshal(data, &patch); err != nil {
		return nil, err
	}
	target, err := parsePath(patch.Path)
	if err != nil {
		return nil, err
	}
	if target.kind == filterTarget {
		m := filterPatchMessage{id: config.FilterID(target.id)}
		err := unmarshalOptional(patch.Data, &m.rep)
		return m, err
	}
	m := patchMessage{id: config.EnvironmentID(target.id)}
	err = unmarshalOptional(patch.Data, &m.rep)
	return m, err
}

func decodeDelete(data []byte) (message, error) {
	var m DeleteMessageData
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	target, err := parsePath(m.Path)
	if err != nil {
		return nil, err
	}
	return deleteMessage{target: target, version: m.Version}, nil
}

// unmarshalOptional leaves v at its zero value if there is no value at all.
func unmarshalOptional(data json.RawMessage, v any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, v)
}

// members are those of a JSON object in the order of the text. Of a name that is there twice, the last value counts,
// in the place of the first, as in a Go map that encoding/json decodes.
type members[ID ~string, V any] []listed[ID, V]

func (m *members[ID, V]) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	opening, err := dec.Token()
	if err != nil {
		return err
	}
	if opening == nil {
		return nil // null is the zero value
	}
	if opening != json.Delim('{') {
		return fmt.Errorf("expected an object of items by id")
	}
	places := map[ID]int{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		item := listed[ID, V]{id: ID(name.(string))}
		if err := dec.Decode(&item.value); err != nil {
			return err
		}
		if place, ok := places[item.id]; ok {
			(*m)[place] = item
			continue
		}
		places[item.id] = len(*m)
		*m = append(*m, item)
	}
	return nil
}
