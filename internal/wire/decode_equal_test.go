package wire

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/wire/wiretest"
)

// The decoders must decode a text to the same result as encoding/json, whichever way they take. There is no
// difference but in the words of the errors.

func addCaptured(f *testing.F, name string, add func(data string)) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(f, err)
	for _, event := range strings.Split(string(captured), "\n\n") {
		if data, ok := strings.CutPrefix(event, "event: "+name+"\ndata: "); ok {
			add(data)
		}
	}
}

func FuzzDecodePut(f *testing.F) {
	for _, data := range wiretest.OddPuts() {
		f.Add([]byte(data), uint64(len(data)))
	}
	addCaptured(f, PutEvent, func(data string) { f.Add([]byte(data), uint64(1)) })
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		var want struct {
			Path string
			Data struct {
				Environments map[string]envfactory.EnvironmentRep
				Filters      map[string]envfactory.FilterRep
			}
		}
		wantErr := json.Unmarshal(data, &want)
		got, err := decodeInParts(data, seed)
		if wantErr == nil && want.Path != "/" {
			require.ErrorIs(t, err, ErrIgnored)
			return
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		require.NotErrorIs(t, err, ErrIgnored)
		if err != nil {
			return
		}
		environments, filters := contentOf(t, got)
		require.Len(t, environments, len(want.Data.Environments))
		for id, rep := range want.Data.Environments {
			require.Equal(t, rep, environments[id])
		}
		require.Len(t, filters, len(want.Data.Filters))
		for id, rep := range want.Data.Filters {
			require.Equal(t, rep, filters[id])
		}
	})
}

func decodeInParts(data []byte, seed uint64) (*Put, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	d := NewPutDecoder(Nothing{})
	for len(data) > 0 {
		part := append([]byte(nil), data[:1+random.IntN(min(len(data), 1+int(seed%5000)))]...)
		data = data[len(part):]
		if err := d.Add(part); err != nil {
			return nil, err
		}
		clear(part) // nothing may point into it any more
	}
	return d.Finish()
}

// contentOf is the content of a put of things of which nothing is known. Of an id listed twice the last entry counts.
func contentOf(t *testing.T, put *Put) (map[string]envfactory.EnvironmentRep, map[string]envfactory.FilterRep) {
	environments := map[string]envfactory.EnvironmentRep{}
	for entry := range put.Environments.All() {
		require.Zero(t, entry.Run)
		rep := decodedItem(t, entry.Item)
		environments[entry.ID] = rep
	}
	filters := map[string]envfactory.FilterRep{}
	for entry := range put.Filters.All() {
		rep, err := DecodeFilter(entry.Text)
		require.NoError(t, err)
		require.Equal(t, rep.Version, entry.Version)
		filters[entry.ID] = rep
	}
	return environments, filters
}

// decodedItem is the environment of an item. The item's own fields must say the same.
func decodedItem(t *testing.T, item Item) envfactory.EnvironmentRep {
	rep, err := DecodeEnvironment(item.Text)
	require.NoError(t, err)
	require.Equal(t, rep, item.Environment())
	require.Equal(t, rep.Version, item.Version)
	require.Equal(t, string(rep.EnvID) != item.ID, item.Misplaced)
	if item.Plain {
		require.NoError(t, rep.ValidateKeys())
		require.Empty(t, rep.SDKKeys)
		require.Empty(t, rep.MobileKeys)
		require.Zero(t, rep.SDKKey.Expiring)
	}
	again, err := EnvironmentItem(item.ID, item.Text)
	require.NoError(t, err)
	require.Equal(t, item, again)
	return rep
}

func FuzzDecodePatch(f *testing.F) {
	for _, e := range wiretest.OddEnvironments {
		f.Add([]byte(`{"path":"/environments/a","data":` + e + `}`))
		f.Add([]byte(`{"data":` + e + `,"path":"/filters/a"}`))
	}
	for _, data := range []string{``, `null`, `{"path":"environments/a"}`, `{"path":"/environments/a","data":{},"data":{"version":2}}`, `{"Path":"/environments/a"}`,
		`{"Path":"/environments/a","data":{"envID":"a","sdkKey":{"value":"x"}}}`, `{"path":"/environments/a/b","data":{}} `} {
		f.Add([]byte(data))
	}
	addCaptured(f, PatchEvent, func(data string) { f.Add([]byte(data)) })
	f.Fuzz(func(t *testing.T, data []byte) {
		var want struct {
			Path string          `json:"path"`
			Data json.RawMessage `json:"data"`
		}
		wantErr := json.Unmarshal(data, &want)
		kind, id, pathErr := parsePath([]byte(want.Path))
		got, err := Decode(PatchEvent, data)
		if wantErr == nil && pathErr != nil {
			require.ErrorIs(t, err, ErrIgnored)
			return
		}
		var environment envfactory.EnvironmentRep
		var filter envfactory.FilterRep
		if wantErr == nil && want.Data != nil && kind == Environment {
			wantErr = json.Unmarshal(want.Data, &environment)
		} else if wantErr == nil && want.Data != nil {
			wantErr = json.Unmarshal(want.Data, &filter)
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		if err != nil {
			return
		}
		patch := got.(*Patch)
		require.Equal(t, kind, patch.Kind)
		require.Equal(t, string(id), patch.Item.ID)
		if kind == Environment {
			require.Equal(t, environment, decodedItem(t, patch.Item))
			return
		}
		decoded, err := DecodeFilter(patch.Item.Text)
		require.NoError(t, err)
		require.Equal(t, filter, decoded)
		require.Equal(t, filter.Version, patch.Item.Version)
	})
}

func FuzzDecodeDelete(f *testing.F) {
	for _, data := range []string{`{"path":"/environments/a","version":7}`, `{"version":-1,"path":"filters/a"}`, `{"path":"/environments/a","VERSION":7}`, `null`, `{"path":"/environments/\u0061"}`, `{"path":"/environments/a","version":1,"version":null}`, `{"path":""} {`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want struct {
			Path    string
			Version int
		}
		wantErr := json.Unmarshal(data, &want)
		kind, id, pathErr := parsePath([]byte(want.Path))
		got, err := Decode(DeleteEvent, data)
		require.Equal(t, errors.Join(wantErr, pathErr) == nil, err == nil, "%v, %v", wantErr, err)
		require.Equal(t, wantErr == nil && pathErr != nil, errors.Is(err, ErrIgnored))
		if err == nil {
			require.Equal(t, &Delete{Kind: kind, ID: string(id), Version: want.Version}, got)
		}
	})
}
