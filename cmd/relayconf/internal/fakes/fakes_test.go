package fakes

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/envfactory"
)

func TestAFakeHasTheShapeOfItsKey(t *testing.T) {
	tests := map[string]struct{ key, want string }{
		"SDK key":      {"sdk-1b2c3d4e-5f60-4718-a9b0-c1d2e3f40516", "sdk-fa4e0000-0000-4000-8000-000000000001"},
		"mobile key":   {"mob-1b2c3d4e-5f60-4718-a9b0-c1d2e3f40516", "mob-fa4e0000-0000-4000-8000-000000000001"},
		"not a UUID":   {"sdk-AbCdEfGh-123", "sdk-fa4e0000-001"},
		"no prefix":    {"abcdefgh", "fa4e0001"},
		"long word":    {"secret-abc", "fa4e00-001"},
		"short":        {"k", "1"},
		"just dashes":  {"--", "1--"},
		"just prefix":  {"sdk-", "sdk-1"},
		"other script": {"sdk-ключ", "sdk-fa4e0001"},
		"empty":        {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, New().Key(test.key)) })
	}
}

func TestTheSameKeyHasTheSameFakeAndTwoKeysHaveTwo(t *testing.T) {
	fakes := New()
	seen := map[string]bool{}
	for i := range 5000 {
		key := fmt.Sprintf("sdk-%x", i) // shorter than the count in the end
		fake := fakes.Key(key)
		assert.False(t, seen[fake], fake)
		assert.NotEqual(t, key, fake)
		assert.Equal(t, fake, fakes.Key(key))
		seen[fake] = true
	}
}

func TestKeysAreReplacedByStructureAndNothingElseIs(t *testing.T) {
	const envStart, envEnd = `{"path":"/environments/1","data":{"envID":"1",`, `"version":2}}`
	tests := map[string]struct{ in, want string }{
		"SDK key":          {envStart + `"sdkKey":{"value":"aaaaaaaaaa"},` + envEnd, envStart + `"sdkKey":{"value":"fa4e000001"},` + envEnd},
		"white space":      {"{ \"sdkKey\" :\n {\"value\" : \"aaaaaaaaaa\" }\n}", "{ \"sdkKey\" :\n {\"value\" : \"fa4e000001\" }\n}"},
		"expiring key":     {`{"sdkKey":{"value":"a-a","expiring":{"value":"bbbbbbb","timestamp":12345678901234567890}}}`, `{"sdkKey":{"value":"a-1","expiring":{"value":"fa4e002","timestamp":12345678901234567890}}}`},
		"mobile key":       {`{"mobKey":"bbbbbbb"}`, `{"mobKey":"fa4e001"}`},
		"lists":            {`{"sdkKeys":[{"key":"default","value":"bbbbbbb","expiry":null,"hasViews":false}],"mobileKeys":[{"key":"x","value":"ccccccc","expiry":5}]}`, `{"sdkKeys":[{"key":"default","value":"fa4e001","expiry":null,"hasViews":false}],"mobileKeys":[{"key":"x","value":"fa4e002","expiry":5}]}`},
		"other case":       {`{"SDKKEY":{"Value":"bbbbbbb"},"MobKey":"ccccccc"}`, `{"SDKKEY":{"Value":"fa4e001"},"MobKey":"fa4e002"}`},
		"escapes":          {`{"sdk\u004bey":{"value":"\"b\\\"bb\\"},"x":"\\\""}`, `{"sdk\u004bey":{"value":"fa4e001"},"x":"\\\""}`},
		"wrong types":      {`{"sdkKey":"bbbbbbb","mobKey":{"v":["ccccccc"]},"sdkKeys":["ddddddd"]}`, `{"sdkKey":"fa4e001","mobKey":{"v":["fa4e002"]},"sdkKeys":["fa4e003"]}`},
		"toy key again":    {`{"mobKey":"7","other":"7"}`, `{"mobKey":"1","other":"7"}`},
		"same key again":   {`{"mobKey":"bbbbbbbb","other":"bbbbbbbb","note":"bbb"}`, `{"mobKey":"fa4e0001","other":"fa4e0001","note":"bbb"}`},
		"key elsewhere":    {`{"new":{"list":["sdk-bbbbbbb"]}}`, `{"new":{"list":["sdk-fa4e001"]}}`},
		"empty keys":       {`{"sdkKey":{"value":""},"mobKey":null}`, `{"sdkKey":{"value":""},"mobKey":null}`},
		"filter":           {`{"path":"/filters/web.eu","data":{"projKey":"web","key":"eu","version":1}}`, `{"path":"/filters/web.eu","data":{"projKey":"web","key":"eu","version":1}}`},
		"a text alone":     {`" "`, `" "`},
		"not in a key":     {`{"envName":"ключ \u2028 <&>","n":1e400}`, `{"envName":"ключ \u2028 <&>","n":1e400}`},
		"nothing but keys": {`"sdk-bbbbbbb"`, `"sdk-fa4e001"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := New().JSON([]byte(test.in))
			require.NoError(t, err)
			assert.Equal(t, test.want, string(got))
		})
	}
}

func TestDataThatIsNotJSONIsAnErrorThatDoesNotShowIt(t *testing.T) {
	for _, data := range []string{"", "secret", `{"sdkKey":{"value":"secret"}`, `{} "secret"`, strings.Repeat("[", 1_000_000), `{"secret"}`, `{"a":"secret",}`} {
		_, err := New().JSON([]byte(data))
		require.Error(t, err, data)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestARealStreamKeepsNoKey(t *testing.T) {
	stream, err := os.ReadFile("../../../../testdata/captured.sse")
	require.NoError(t, err)
	fakes := New()
	lines := 0
	for line := range strings.Lines(string(stream)) {
		data, isData := strings.CutPrefix(line, "data: ")
		if !isData || !json.Valid([]byte(data)) {
			continue
		}
		lines++
		out, err := fakes.JSON([]byte(data))
		require.NoError(t, err)
		assert.True(t, json.Valid(out))
		for key := range fakes.fakes {
			assert.NotContains(t, string(out), key)
		}
	}
	assert.Greater(t, lines, 3)
}

func TestTextWithAKeyIsNoticed(t *testing.T) {
	fakes := New()
	fakes.Key("password")
	assert.True(t, fakes.In("the password is"))
	assert.True(t, fakes.In("see sdk-123"))
	assert.False(t, fakes.In("keepalive"))
}

// Whatever a key looks like, and whatever stands around it, it is not where a key was in the text that comes out.
func FuzzNoKeySurvivesInItsPlace(f *testing.F) {
	f.Add("sdk-00000000-0000-4000-8000-000000000001", "name", "value")
	f.Add(`se"cret\u0000`, "\x80", "sdk-")
	f.Fuzz(func(t *testing.T, key, name, value string) {
		quoted, err := json.Marshal(key)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(quoted, &key)) // what is not UTF-8 is replaced on the way
		other, err := json.Marshal(map[string]string{name: value})
		require.NoError(t, err)
		text := strings.ReplaceAll(`{"data":{"other":OTHER,"sdkKey":{"value":KEY,"expiring":{"value":KEY,"timestamp":1}},
			"mobKey" : KEY,"sdkKeys":[{"key":"default","value":KEY}],"mobileKeys":[{"value":KEY}]}}`, "KEY", string(quoted))
		out, err := New().JSON([]byte(strings.Replace(text, "OTHER", string(other), 1)))
		require.NoError(t, err)
		var event struct{ Data envfactory.EnvironmentRep }
		require.NoError(t, json.Unmarshal(out, &event))
		got := []string{
			string(event.Data.SDKKey.Value), string(event.Data.SDKKey.Expiring.Value), string(event.Data.MobKey),
			event.Data.SDKKeys[0].Value, event.Data.MobileKeys[0].Value,
		}
		for _, fake := range got {
			assert.Equal(t, got[0], fake, "the same key has the same fake")
		}
		if key != "" {
			assert.NotEqual(t, key, got[0])
		}
	})
}

func FuzzJSONRefusesOnlyWhatIsNotJSON(f *testing.F) {
	f.Add(`{"sdkKey":{"value":"secret-one"}}`)
	f.Add(`{"a":["\\",{"mobKey":"se\"cret"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		out, err := New().JSON([]byte(text))
		assert.Equal(t, json.Valid([]byte(text)), err == nil)
		if err == nil {
			assert.True(t, json.Valid(out))
		}
	})
}
