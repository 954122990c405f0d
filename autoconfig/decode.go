package autoconfig

import (
	"encoding/json"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// decoder makes messages of events. It is quick with events as services write them and leaves the rest to encoding/json,
// so that it understands what that would understand.
type decoder struct {
	known *versioned[config.EnvironmentID, environment]
	make  environmentMaker
	spare *item[environment] // the one that was made last

	ids      [][]byte // memory for lookAhead
	lookedAt int      // means nothing: without it the compiler would leave out what lookAhead does
}

func newDecoder(known *versioned[config.EnvironmentID, environment]) decoder {
	return decoder{known: known, spare: &item[environment]{}}
}

// decode makes a message of a whole event other than a put. It returns errIgnored, wrapped, for a path or an event name
// that means nothing here; any other error means that the data is malformed. No error quotes the data, which has keys
// in it.
func (d *decoder) decode(name string, data []byte) (message, error) {
	switch name {
	case PatchEvent:
		return d.patch(data)
	case DeleteEvent:
		return d.delete(data)
	default:
		return nil, errUnknownEvent
	}
}

var (
	patchMembers  = []string{`"path"`, `"data"`}
	deleteMembers = []string{`"path"`, `"version"`}
)

// patch decodes the data of a patch event. What the data is depends on the path, which may come after it: it is taken
// for an environment at first.
func (d *decoder) patch(data []byte) (message, error) {
	c := cursor{text: data}
	var path, environmentData []byte
	var text environmentText
	o := object{names: patchMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // path
			path = c.string()
		case 1: // data
			c.peek()
			start := c.at
			if text = c.environment(); c.err == nil {
				environmentData = data[start:c.at]
			}
		}
	}
	if !c.ends() || len(environmentData) == 0 {
		return d.unusualPatch(data)
	}
	id, ok := environmentID(path)
	if !ok {
		return d.unusualPatch(data)
	}
	if d.spare.status != loose { // it was kept; of what is only copied to the one that is known, the next can be made
		d.spare = &item[environment]{}
	}
	d.make.fill(d.spare, &text, environmentData, d.known.items[config.EnvironmentID(id)])
	m := patchMessage{id: d.spare.value.id(), fresh: d.spare}
	if string(m.id) != string(id) {
		m.id = config.EnvironmentID(id)
	}
	return m, nil
}

// unusualItem makes an environment of its text by encoding/json. No text will do for the zero value.
func unusualItem(text []byte) (*item[environment], error) {
	rep := &envfactory.EnvironmentRep{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, rep); err != nil {
			return nil, err
		}
	}
	fresh := itemOf(rep)
	fresh.value.setText(text)
	return fresh, nil
}

// itemOf makes an item of an environment.
func itemOf(rep *envfactory.EnvironmentRep) *item[environment] {
	return &item[environment]{version: rep.Version, value: environmentOf(rep)}
}

func (d *decoder) unusualPatch(data []byte) (message, error) {
	var patch struct {
		Path string          `json:"path"`
		Data json.RawMessage `json:"data"`
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
		m.fresh, err = filterItem(patch.Data)
		return m, err
	}
	m := patchMessage{id: config.EnvironmentID(target.id)}
	m.fresh, err = unusualItem(patch.Data)
	return m, err
}

// filterItem makes a filter of its text. No text will do for the zero value.
func filterItem(text []byte) (*item[envfactory.FilterRep], error) {
	fresh := &item[envfactory.FilterRep]{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &fresh.value); err != nil {
			return nil, err
		}
	}
	fresh.version = fresh.value.Version
	return fresh, nil
}

// delete decodes the data of a delete event.
func (d *decoder) delete(data []byte) (message, error) {
	c := cursor{text: data}
	var deletion DeleteMessageData
	o := object{names: deleteMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // path
			deletion.Path = string(c.string())
		case 1: // version
			deletion.Version = c.int()
		}
	}
	if !c.ends() {
		deletion = DeleteMessageData{}
		if err := json.Unmarshal(data, &deletion); err != nil {
			return nil, err
		}
	}
	target, err := parsePath(deletion.Path)
	if err != nil {
		return nil, err
	}
	return deleteMessage{target: target, version: deletion.Version}, nil
}
