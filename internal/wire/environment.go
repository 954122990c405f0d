package wire

import (
	"encoding/json"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/jsonscan"
)

// Environment returns the environment of an item. The strings in the result are parts of the text. Of a plain one the
// text is not scanned a second time.
func (i *Item) Environment() envfactory.EnvironmentRep {
	if !i.Plain {
		rep, _ := DecodeEnvironment(i.Text) // it was decoded before
		return rep
	}
	rep := i.fields.rep(i.Text)
	rep.Version = i.Version
	return rep
}

// DecodeEnvironment decodes the text of an environment. The strings in the result are parts of the text. A text that is
// not of an environment is an error; the text of an Item never is.
func DecodeEnvironment(text string) (envfactory.EnvironmentRep, error) {
	c := cursor{text: View(text)}
	var fields environmentFields
	if c.environment(&fields); c.ends() {
		return fields.rep(text), nil
	}
	var rep envfactory.EnvironmentRep
	err := json.Unmarshal(View(text), &rep)
	return rep, err
}

// DecodeFilter decodes the text of a filter.
func DecodeFilter(text string) (envfactory.FilterRep, error) {
	var rep envfactory.FilterRep
	err := json.Unmarshal(View(text), &rep)
	return rep, err
}

// EnvironmentItem makes an item of the text of an environment, as if a put had listed it under an id.
func EnvironmentItem(id, text string) (Item, error) {
	var item Item
	end, err := item.decode(View(text), 0, 0, []byte(id))
	if err == nil && jsonscan.Space(View(text), end) < len(text) {
		err = jsonscan.ErrSyntax
	}
	return item, err
}

// FilterItem makes an item of the text of a filter, as if a put had listed it under an id.
func FilterItem(id, text string) (Item, error) { return filterItem([]byte(text), id) }

// decode decodes an environment that begins at a place in a text, and returns where it ends. The depth is the number of
// objects around it.
func (i *Item) decode(text []byte, at, depth int, id []byte) (end int, err error) {
	c := cursor{text: text, at: at, start: at, depth: depth}
	var fields environmentFields
	c.environment(&fields)
	switch c.err {
	case nil:
		fields.item(i, string(text[at:c.at]), id)
		return c.at, nil
	case errUnusual:
		if end, err = jsonscan.Value(text, at, depth); err != nil {
			return end, err
		}
		*i, err = unusualItem(text[at:end], id)
		return end, err
	}
	return at, c.err
}

// item makes an item of an environment. Its id is the envID in the text, as a rule, so there is no copy of it.
func (e *environmentFields) item(i *Item, text string, id []byte) {
	inside := e.envID.of(text)
	misplaced := inside != string(id)
	if misplaced {
		inside = string(id)
	}
	*i = Item{
		ID:        inside,
		Version:   e.version,
		Text:      text,
		Hash:      Hash(id),
		Misplaced: misplaced,
		Plain: e.sdkKey.from < e.sdkKey.to && e.sdkKeys == nil && e.mobileKeys == nil &&
			e.expiringKey == part{} && e.expiringTime == 0,
		fields: e.plainFields,
	}
}

// unusualItem makes an item by encoding/json.
func unusualItem(text, id []byte) (Item, error) {
	var rep envfactory.EnvironmentRep
	if err := json.Unmarshal(text, &rep); err != nil {
		return Item{}, err
	}
	return Item{
		ID: string(id), Version: rep.Version, Text: string(text), Hash: Hash(id), Misplaced: string(rep.EnvID) != string(id),
	}, nil
}

func filterItem(text []byte, id string) (Item, error) {
	var rep envfactory.FilterRep
	if err := json.Unmarshal(text, &rep); err != nil {
		return Item{}, err
	}
	return Item{ID: id, Version: rep.Version, Text: string(text), Hash: Hash(View(id))}, nil
}

// plainFields are the fields of a plain environment, but for its version. Each item has them: they are kept small.
type plainFields struct {
	envID, envKey, envName, projKey, projName, mobKey, sdkKey part
	secureMode                                                bool
	defaultTTL                                                int
}

// environmentFields are the fields of an environment.
type environmentFields struct {
	plainFields
	expiringKey         part
	expiringTime        uint64
	sdkKeys, mobileKeys []keyFields // nil if there is no list
	version             int
}

// keyFields are the fields of an entry of a list of keys.
type keyFields struct {
	key, value part
	expires    bool
	expiry     uint64
	hasViews   bool
}

// rep returns the environment with that text.
func (f *plainFields) rep(text string) envfactory.EnvironmentRep {
	return envfactory.EnvironmentRep{
		EnvID:      config.EnvironmentID(f.envID.of(text)),
		EnvKey:     f.envKey.of(text),
		EnvName:    f.envName.of(text),
		ProjKey:    f.projKey.of(text),
		ProjName:   f.projName.of(text),
		MobKey:     config.MobileKey(f.mobKey.of(text)),
		SDKKey:     envfactory.SDKKeyRep{Value: config.SDKKey(f.sdkKey.of(text))},
		DefaultTTL: f.defaultTTL,
		SecureMode: f.secureMode,
	}
}

func (e *environmentFields) rep(text string) envfactory.EnvironmentRep {
	rep := e.plainFields.rep(text)
	rep.Version = e.version
	rep.SDKKey.Expiring = envfactory.ExpiringKeyRep{
		Value: config.SDKKey(e.expiringKey.of(text)), Timestamp: ldtime.UnixMillisecondTime(e.expiringTime),
	}
	rep.SDKKeys, rep.MobileKeys = keyReps(e.sdkKeys, text), keyReps(e.mobileKeys, text)
	return rep
}

func keyReps(list []keyFields, text string) []envfactory.ConcurrentKeyRep {
	if list == nil {
		return nil
	}
	reps := make([]envfactory.ConcurrentKeyRep, len(list))
	for i := range list {
		k := &list[i]
		reps[i] = envfactory.ConcurrentKeyRep{Key: k.key.of(text), Value: k.value.of(text), HasViews: k.hasViews}
		if k.expires {
			expiry := ldtime.UnixMillisecondTime(k.expiry)
			reps[i].Expiry = &expiry
		}
	}
	return reps
}
