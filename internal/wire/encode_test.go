package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
)

func TestEncodedData(t *testing.T) {
	first, second := []byte(`{"envID":"a"}`), []byte(`{"envID":"b", "x":[1]}`)
	withFilter := wire.AppendPutStart(nil)
	withFilter = wire.AppendPutItem(withFilter, true, "a", first)
	withFilter = wire.AppendPutItem(withFilter, false, "b", second)
	withFilter = wire.AppendPutFilters(withFilter)
	withFilter = wire.AppendPutItem(withFilter, true, "web.eu", []byte(`{}`))
	withFilter = wire.AppendPutEnd(withFilter)
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"an empty put": {wire.AppendPutEnd(wire.AppendPutStart(nil)), `{"path":"/","data":{"environments":{}}}`},
		"a put": {withFilter, `{"path":"/","data":{"environments":{"a":{"envID":"a"},"b":{"envID":"b", "x":[1]}},` +
			`"filters":{"web.eu":{}}}}`},
		"a patch": {wire.AppendPatch(nil, wire.EnvironmentPath, "a", first),
			`{"path":"/environments/a","data":{"envID":"a"}}`},
		"a delete": {wire.AppendDelete(nil, wire.FilterPath, "web.eu", 7), `{"path":"/filters/web.eu","version":7}`},
		"an id that needs escaping": {wire.AppendDelete(nil, wire.EnvironmentPath, "a\"\\\n\x7fé", -1),
			`{"path":"/environments/a\"\\\n` + "\x7fé" + `","version":-1}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, string(test.data))
			assert.True(t, json.Valid(test.data))
		})
	}
}

func TestOneLine(t *testing.T) {
	text := []byte("{\r\n\t\"a\": \"\\n\"\n}")
	line := wire.OneLine(text)
	assert.Equal(t, "{  \t\"a\": \"\\n\" }", string(line))
	assert.Equal(t, "{\r\n\t\"a\": \"\\n\"\n}", string(text), "the text belongs to somebody else")
	same := []byte(`{}`)
	require.Equal(t, &same[0], &wire.OneLine(same)[0], "without a copy")
}
