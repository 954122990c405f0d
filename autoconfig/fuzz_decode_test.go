package autoconfig

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/envfactory"
)

// addEvents calls add with each event of the captured stream, and with some that are odd.
func addEvents(f *testing.F, add func(name, data string)) {
	captured, err := os.ReadFile("../testdata/captured.sse")
	require.NoError(f, err)
	decoder := eventsource.NewDecoder(strings.NewReader(string(captured)))
	for {
		e, err := decoder.Decode()
		if err != nil {
			break
		}
		add(e.Event(), e.Data())
	}
	for _, data := range []string{
		``, `null`, `{}`, `[]`, `"x"`, `{} {}`, `{"path":"/"}`, `{"path":"/","data":null}`, `{"path":"/","data":{"environments":null}}`,
		`{"path":"/","data":{"environments":{"a":null,"a":{"envID":"a"},"b":{},"a":{"version":3}}}}`,
		`{"PATH":"/","Data":{"ENVIRONMENTS":{"a":{"ENVID":"a","VERSION":1}}}}`,
		`{"path":"/","data":{"environments":{"a":{"version":1.5}}}}`, `{"path":"/","data":{"filters":{"f":{"key":"x","version":-1}}}}`,
		`{"path":"/","data":{"environments":{"\u00e9\ud800":{"envName":"\ud83d\ude00\u0000","sdkKeys":[null,{"expiry":1e3}]}}}}`,
		`{"path":"/environments/a","version":9223372036854775808}`, `{"path":"/environments/a","version":-9223372036854775808}`,
		`{"path":"environments/a","version":1,"data":{"envID":"a","sdkKey":{"value":"k","expiring":{"value":"o","timestamp":1}}}}`,
		`{"path":"/filters/f","data":{"projKey":"p","key":"k","version":2},"data":{"version":3}}`,
		`{"path":"/environments/a","data":{"envID":"a"},"path":"/environments/b"}`, `{"path":"/environments/a/b"}`, `{"path":null}`,
	} {
		for _, name := range []string{PutEvent, PatchEvent, DeleteEvent} {
			add(name, data)
		}
	}
}

// FuzzDecode: every message is understood as encoding/json understands the public types. Objects that have a member
// twice are left out, but for the ids of a put: there, encoding/json merges the two.
func FuzzDecode(f *testing.F) {
	addEvents(f, func(name, data string) { f.Add(name, data) })
	f.Fuzz(func(t *testing.T, name, data string) {
		if json.Valid([]byte(data)) {
			dec := json.NewDecoder(strings.NewReader(data))
			dec.UseNumber() // a number may be too large for anything else
			if repeatsMembers(dec, "") {
				t.Skip()
			}
		}
		got, err := decode(name, []byte(data))
		want, wantErr := decodeByTheBook(name, []byte(data))
		switch {
		case wantErr == nil:
			require.NoError(t, err)
			assert.Equal(t, want, public(t, got))
		case errors.Is(wantErr, errIgnored):
			require.ErrorIs(t, err, errIgnored)
		default:
			require.Error(t, err)
			require.NotErrorIs(t, err, errIgnored)
		}
	})
}

// filterPatch is what PatchMessageData is for filters.
type filterPatch struct {
	Path string               `json:"path"`
	Data envfactory.FilterRep `json:"data"`
}

// decodeByTheBook is the oracle.
func decodeByTheBook(name string, data []byte) (any, error) {
	switch name {
	case PutEvent:
		put, err := unmarshalled[PutMessageData](data)
		put.Data.Environments, put.Data.Filters = orEmpty(put.Data.Environments), orEmpty(put.Data.Filters)
		if err == nil && put.Path != "/" {
			err = errIgnored
		}
		return put, err
	case PatchEvent:
		patch, err := unmarshalled[struct{ Path string }](data)
		if err != nil {
			return nil, err
		}
		target, err := parsePath(patch.Path)
		if err != nil {
			return nil, err
		}
		if target.kind == filterTarget {
			m, err := unmarshalled[filterPatch](data)
			m.Path = target.id
			return m, err
		}
		m, err := unmarshalled[PatchMessageData](data)
		m.Path = target.id
		return m, err
	case DeleteEvent:
		m, err := unmarshalled[DeleteMessageData](data)
		if err != nil {
			return nil, err
		}
		_, err = parsePath(m.Path)
		m.Path = strings.TrimPrefix(m.Path, "/")
		return m, err
	}
	return nil, errIgnored
}

func unmarshalled[T any](data []byte) (v T, err error) {
	err = json.Unmarshal(data, &v)
	return v, err
}

func orEmpty[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

// repeatsMembers says whether an object in the value that comes next has a member twice, in names as encoding/json
// takes them. The path is that of the value.
func repeatsMembers(dec *json.Decoder, path string) bool {
	repeats := false
	opening, _ := dec.Token()
	names := map[string]bool{}
	for opening == json.Delim('{') && dec.More() {
		token, _ := dec.Token()
		name := strings.ToLower(strings.ToUpper(token.(string))) // folds those few letters that have two small forms
		repeats = repeats || names[name] && path != "/data/environments" && path != "/data/filters"
		names[name] = true
		repeats = repeatsMembers(dec, path+"/"+name) || repeats
	}
	for opening == json.Delim('[') && dec.More() {
		repeats = repeatsMembers(dec, path+"/") || repeats
	}
	if _, opened := opening.(json.Delim); opened {
		_, _ = dec.Token()
	}
	return repeats
}

// public turns a message into the public type that says the same.
func public(t *testing.T, m message) any {
	switch m := m.(type) {
	case putMessage:
		environments, filters := contentOf(m)
		return PutMessageData{Path: "/", Data: PutContent{Environments: environments, Filters: filters}}
	case patchMessage:
		return PatchMessageData{Path: string(m.id), Data: m.fresh.value.rep(m.fresh.version)}
	case filterPatchMessage:
		return filterPatch{Path: string(m.id), Data: m.fresh.value}
	case deleteMessage:
		collection := map[targetKind]string{environmentTarget: "environments/", filterTarget: "filters/"}[m.target.kind]
		return DeleteMessageData{Path: collection + m.target.id, Version: m.version}
	}
	require.Fail(t, "unknown message", "%T", m)
	return nil
}
