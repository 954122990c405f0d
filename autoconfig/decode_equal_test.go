package autoconfig

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// What the decoders make of a text must be what encoding/json makes of it, whichever way they take. There is no
// difference but in the words of the errors.

// oddEnvironments are written in ways that services don't.
var oddEnvironments = []string{
	`null`, `{}`, ` { } `, `{"envID":"a"}`, `{"ENVID":"a","Version":3}`, `{"envID":"a","envID":"b"}`, `{"envID":"\u0061","version":1}`,
	`{"envID":"a","version":1e2}`, `{"envID":"a","version":-7}`, `{"envID":"a","version":1.0}`, `{"envID":"a","version":01}`,
	`{"envID":"a","version":123456789012345678}`, `{"envID":"a","version":9223372036854775807}`, `{"envID":"a","version":9223372036854775808}`,
	`{"envID":null,"envKey":null,"mobKey":null,"sdkKey":null,"sdkKeys":null,"mobileKeys":null,"defaultTtl":null,"secureMode":null,"version":null}`,
	`{"envID":"a","defaultTtl":70000}`, `{"envID":"a","defaultTtl":-1}`, `{"envID":"a","secureMode":"true"}`, `{"envID":7}`, `{"sdkKey":[]}`,
	`{"envID":"a","sdkKey":{"value":"s","expiring":null}}`, `{"envID":"a","sdkKey":{"value":"s","expiring":{"value":"o","timestamp":17900000}}}`,
	`{"envID":"a","sdkKey":{"value":"s"},"sdkKey":{"expiring":{"value":"o"}}}`, `{"envID":"a","sdkKey":{"expiring":{"timestamp":18446744073709551615}}}`,
	`{"envID":"a","sdkKeys":[],"mobileKeys":[{}]}`, `{"envID":"a","sdkKeys":[null]}`, `{"envID":"a","sdkKeys":[{"key":"k","value":"v","expiry":5,"hasViews":true},{"expiry":null}]}`,
	`{"envID":"a","sdkKeys":[{"expiry":1}],"sdkKeys":[{}]}`, `{"envID":"a","mobileKeys":[{"value":"v","Value":"w"}]}`, `{"envID":"a","mobileKeys":[{"key":"k"},]}`,
	`{"envID":"a","unknown":{"version":[1,2,{"x":"y"}]},"version":4}`, `{"envID":"a","unknown":{]}`, `{"envID":"a","ſdkKey":{"value":"long s"},"proj` + "\u212a" + `ey":"kelvin"}`,
	"{\"envID\":\"a\",\"envName\":\"caf\u00e9\",\"projName\":\"\xff\xfe\"}", "{\"envID\":\"a\x00\"}", "\t{\r\n\"envID\" : \"a\" , \"version\" : 2 }\n", `{"projKey":"a` + "\\u0000" + `b","projName":""}`,
	`{"envID":"` + strings.Repeat("a", 70_000) + `"}`, `{"envID":"a"`, `{"envID":"a",}`, `{"envID" "a"}`, `["envID"]`, `"a"`, `7`, `tru`, `{"a":` + strings.Repeat("[", 9_996) + strings.Repeat("]", 9_996) + `}`,
	`{"a":` + strings.Repeat("[", 9_997) + strings.Repeat("]", 9_997) + `}`,
}

func oddPuts() (puts []string) {
	for _, e := range oddEnvironments {
		puts = append(puts, `{"path":"/","data":{"environments":{"a":`+e+`,"b":`+env("b", 1)+`}}}`)
	}
	filters := `"filters":{"f":{"key":"f","version":1},"f":{"KEY":"g"},"g":null}`
	return append(puts, ``, ` `, `null`, ` null `, `nul`, `7`, `[]`, `"put"`, `{}`, `{}{}`, `{"path":"/"}`, `{"path":"/","data":null}`, `{"path":null,"data":{}}`, `{"path":"\/"}`,
		`{"path":7}`, `{"PATH":"/","Data":{"ENVIRONMENTS":{"a":{}},"Filters":{"x":{}}}}`, `{"path":"/","data":{"environments":null,`+filters+`}}`, `{"path":"/","data":{`+filters+`,"filters":null}}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a"}},"environments":{"b":{"envID":"b"}}}}`, `{"path":"/","data":{"environments":{"a":{"envID":"a"}},"environments":null}}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a","version":1},"b":{},"\u0061":{"envID":"a","version":2}}},"data":{"environments":{"a":{"envID":"a","version":3}}},"path":"/x"}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a"}}}`, `{"path":"/","data":{"environments":[]}}`, `{"path":"/","data":{"environments":{"":null}},"else":[{"x":"y"}]} x`,
		`{"path":"/","data":{"environments":{"a":{}}},"else":{"deep":"`+strings.Repeat("x", 5_000)+`"}}`, ` { "path" : "/" , "data" : { "environments" : { "a" : { "envID" : "a" } , "b" : { } } , "filters" : { } } } `)
}

func addCaptured(f *testing.F, name string, add func(data string)) {
	captured, err := os.ReadFile("../testdata/captured.sse")
	require.NoError(f, err)
	for _, event := range strings.Split(string(captured), "\n\n") {
		if data, ok := strings.CutPrefix(event, "event: "+name+"\ndata: "); ok {
			add(data)
		}
	}
}

func FuzzDecodePut(f *testing.F) {
	for _, data := range oddPuts() {
		f.Add([]byte(data), uint64(len(data)))
	}
	addCaptured(f, PutEvent, func(data string) { f.Add([]byte(data), uint64(1)) })
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		want, wantErr := PutMessageData{}, error(nil)
		wantErr = json.Unmarshal(data, &want)
		s := newState()
		got, err := decodeInParts(s, data, seed)
		if wantErr == nil && want.Path != "/" {
			require.ErrorIs(t, err, errIgnored)
			return
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		require.NotErrorIs(t, err, errIgnored)
		if err != nil {
			return
		}
		environments, filters := contentOf(got.(putMessage))
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

func decodeInParts(s *state, data []byte, seed uint64) (message, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	d := newPutDecoder(&s.environments)
	for len(data) > 0 {
		part := append([]byte(nil), data[:1+random.IntN(min(len(data), 1+int(seed%5000)))]...)
		data = data[len(part):]
		if err := d.add(part); err != nil {
			return nil, err
		}
		clear(part) // nothing may point into it any more
	}
	return d.finish()
}

// contentOf is what a put says of things of which nothing is known.
func contentOf(put putMessage) (map[config.EnvironmentID]envfactory.EnvironmentRep, map[config.FilterID]envfactory.FilterRep) {
	s := newState()
	s.environments.resolve(put.environments)
	s.filters.resolve(put.filters)
	environments := map[config.EnvironmentID]envfactory.EnvironmentRep{}
	for _, entry := range put.environments.items {
		environments[entry.id] = entry.fresh.value.rep(entry.fresh.version)
	}
	filters := map[config.FilterID]envfactory.FilterRep{}
	for _, entry := range put.filters.items {
		filters[entry.id] = entry.fresh.value
	}
	return environments, filters
}

func FuzzDecodePatch(f *testing.F) {
	for _, e := range oddEnvironments {
		f.Add([]byte(`{"path":"/environments/a","data":` + e + `}`))
		f.Add([]byte(`{"data":` + e + `,"path":"/filters/a"}`))
	}
	for _, data := range []string{``, `null`, `{"path":"environments/a"}`, `{"path":"/environments/a","data":{},"data":{"version":2}}`, `{"Path":"/environments/a"}`, `{"path":"/environments/a/b","data":{}} `} {
		f.Add([]byte(data))
	}
	addCaptured(f, PatchEvent, func(data string) { f.Add([]byte(data)) })
	f.Fuzz(func(t *testing.T, data []byte) {
		var want struct {
			Path string          `json:"path"`
			Data json.RawMessage `json:"data"`
		}
		wantErr := json.Unmarshal(data, &want)
		target, pathErr := parsePath(want.Path)
		got, err := decode(PatchEvent, data)
		if wantErr == nil && pathErr != nil {
			require.ErrorIs(t, err, errIgnored)
			return
		}
		var environment envfactory.EnvironmentRep
		var filter envfactory.FilterRep
		if wantErr == nil && want.Data != nil && target.kind == environmentTarget {
			wantErr = json.Unmarshal(want.Data, &environment)
		} else if wantErr == nil && want.Data != nil {
			wantErr = json.Unmarshal(want.Data, &filter)
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		switch got := got.(type) {
		case patchMessage:
			if err == nil {
				require.Equal(t, config.EnvironmentID(target.id), got.id)
				require.Equal(t, environment, got.fresh.value.rep(got.fresh.version))
			}
		case filterPatchMessage:
			if err == nil {
				require.Equal(t, config.FilterID(target.id), got.id)
				require.Equal(t, filter, got.fresh.value)
			}
		}
	})
}

func FuzzDecodeDelete(f *testing.F) {
	for _, data := range []string{`{"path":"/environments/a","version":7}`, `{"version":-1,"path":"filters/a"}`, `{"path":"/environments/a","VERSION":7}`, `null`, `{"path":"/environments/\u0061"}`, `{"path":"/environments/a","version":1,"version":null}`, `{"path":""} {`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want DeleteMessageData
		wantErr := json.Unmarshal(data, &want)
		target, pathErr := parsePath(want.Path)
		got, err := decode(DeleteEvent, data)
		require.Equal(t, errors.Join(wantErr, pathErr) == nil, err == nil, "%v, %v", wantErr, err)
		require.Equal(t, wantErr == nil && pathErr != nil, errors.Is(err, errIgnored))
		if err == nil {
			require.Equal(t, deleteMessage{target: target, version: want.Version}, got)
		}
	})
}

// Two puts lead to the same state whether the second is compared with the bytes of the first or decoded in full.
func FuzzSkippingWhatIsUnchanged(f *testing.F) {
	puts := append(oddPuts(),
		put(listedEnv("a", 1), listedEnv("b", 1)), put(listedEnv("b", 1), listedEnv("a", 1)), put(listedEnv("a", 1), listedEnv("b", 2), listedEnv("a", 2)),
		put(listedEnv("a", 1), listedEnv("b", 2), listedEnv("a", 1)), put(listedEnv("a", 2), listedEnv("b", 1), listedEnv("a", 1)), put(member("a", env("b", 1)), listedEnv("b", 1), listedEnv("c", 1)),
		put(listedEnv("c", 1), listedEnv("a", 1, `"sdkKey":{}`), listedEnv("b", 2)))
	for i, first := range puts {
		f.Add([]byte(first), []byte(puts[(i*7+3)%len(puts)]))
		f.Add([]byte(first), []byte(first))
		f.Add([]byte(puts[len(puts)-1-i%7]), []byte(puts[len(puts)-1-i/7%7]))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		skipping, plain := newState(), newState()
		for i, data := range [][]byte{first, second, first, second} {
			m, err := decodeInParts(skipping, data, uint64(i*1000+7))
			if err != nil {
				continue
			}
			decoded, err := decode(PutEvent, data)
			require.NoError(t, err)
			decoded.(putMessage).environments.forgetNumber()
			got, want := skipping.apply(m, epoch), plain.apply(decoded, epoch)
			require.Equal(t, describe(want.changes, epoch), describe(got.changes, epoch))
			require.Equal(t, errors.Join(want.warnings...), errors.Join(got.warnings...))
			require.Equal(t, want.invalidKeys, got.invalidKeys)
			require.Equal(t, plain.params(epoch), skipping.params(epoch))
			require.Equal(t, plain.environments.live, skipping.environments.live)
			require.Equal(t, len(plain.environments.items), len(skipping.environments.items))
			require.Equal(t, plain.revision(), skipping.revision())
		}
	})
}

// forgetNumber lets a list that was made against one set be applied to another.
func (l *putList[ID, V]) forgetNumber() {
	for i := range l.items {
		l.items[i].known, l.items[i].place = nil, uint32(i+1)
	}
	l.number, l.distinct, l.repeated = 0, 0, false
}

func TestRule02AnUnchangedPutIsNotDecoded(t *testing.T) {
	s := newState()
	data := []byte(put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("c", 1)))
	for i, want := range []int{3, 0, 0} {
		m, err := s.decode(PutEvent, data)
		require.NoError(t, err)
		assert.Len(t, m.(putMessage).environments.items, want, "round %d", i)
		s.apply(m, epoch)
	}
	m, err := s.decode(PutEvent, []byte(put(listedEnv("c", 1), listedEnv("a", 2))))
	require.NoError(t, err)
	assert.Len(t, m.(putMessage).environments.items, 1, "the order may change")
	assert.Equal(t, "update a; delete b; all", describe(s.apply(m, epoch).changes, epoch))

	m, err = s.decode(DeleteEvent, []byte(deletion("/environments/c", 0)))
	require.NoError(t, err)
	s.apply(m, epoch)
	m, err = s.decode(DeleteEvent, []byte(deletion("/environments/c", 2)))
	require.NoError(t, err)
	assert.Equal(t, "delete c", describe(s.apply(m, epoch).changes, epoch))
	m, err = s.decode(PutEvent, []byte(put(listedEnv("c", 2), listedEnv("a", 2))))
	require.NoError(t, err)
	assert.Equal(t, "add c; all", describe(s.apply(m, epoch).changes, epoch), "what was deleted is not skipped")
}

func TestRule07NothingIsAppliedBeforeAPutIsComplete(t *testing.T) {
	s := newState()
	m, err := s.decode(PutEvent, []byte(put(listedEnv("a", 1), listedEnv("b", 1))))
	require.NoError(t, err)
	s.apply(m, epoch)
	before, revision := s.params(epoch), s.revision()
	text := put(listedEnv("b", 1), listedEnv("a", 2), listedEnv("c", 1))
	for cut := range len(text) {
		_, err := decodeInParts(s, []byte(text[:cut]), uint64(cut))
		require.Error(t, err)
		_, err = decodeInParts(s, []byte(text[:cut]+"\x01"+text[cut:]), uint64(cut))
		require.Error(t, err)
	}
	assert.Equal(t, before, s.params(epoch))
	assert.Equal(t, revision, s.revision())
	m, err = decodeInParts(s, []byte(text), 3)
	require.NoError(t, err)
	assert.Equal(t, "update a; add c; all", describe(s.apply(m, epoch).changes, epoch))
}
