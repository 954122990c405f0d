package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var texts = []string{
	``, ` `, `null`, `nul`, `nulx`, `true`, `false`, `fals3`, `0`, `-0`, `01`, `-`, `1.`, `1.5`, `1.5e`, `1.5e+`, `1E-7`, `.5`, `+1`,
	`""`, `"a`, `"plain text that is long enough"`, `"eight by"te`, `"\""`, `"\u00e9"`, `"\u00g9"`, `"\u12`, `"\x"`, `"\`, "\"\x01\"", "\"1234567\x1f\"", "\"\x7f\"",
	"\"é, which is two bytes\"", "\"1234567\xff90\"", "\"\xc3\"", `{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a" : [1, {"b":null}] , "c":"d"}`, `{"a"}`, `{"a":}`, `{1:2}`, `{"a":1 "b"`,
	`[]`, `[ ]`, `[1`, `[1,]`, `[1 2]`, `[[[]]]`, ` {"a":1} `, `{"a":1}x`, "[\v]", "\ufeff{}", `[1,2,3`, `]`, `}`,
}

// check compares Value with encoding/json for the text followed by a space, which shows where a number ends.
func check(t *testing.T, text []byte) {
	t.Helper()
	text = append(bytes.Clone(text), ' ')
	start := Space(text, 0)
	end, err := Value(text, start, 0)
	valid := err == nil && Space(text, end) == len(text)
	require.Equal(t, json.Valid(text), valid, "%q: %v", text, err)
	if !valid {
		return
	}
	for cut := start; cut < end; cut++ {
		_, err := Value(text[:cut], start, 0)
		require.Equal(t, ErrIncomplete, err, "%q", text[:cut])
	}
	if text[start] != '"' {
		return
	}
	_, plain, err := String(text, start)
	require.NoError(t, err)
	var want string
	require.NoError(t, json.Unmarshal(text, &want))
	assert.Equal(t, want == string(text[start+1:end-1]), plain, "%q", text)
	if at := Plain(text, start); at >= 0 {
		assert.True(t, plain, "%q", text)
		assert.Equal(t, end, at, "%q", text)
	} else {
		assert.True(t, !plain || strings.ContainsFunc(want, func(r rune) bool { return r >= 0x80 }), "%q", text)
	}
}

func TestValueTakesWhatEncodingJSONTakes(t *testing.T) {
	for _, text := range texts {
		check(t, []byte(text))
	}
	for c := range 256 {
		for _, pad := range []string{"", "1234567", "123456789"} {
			check(t, []byte(`"`+pad+string([]byte{byte(c)})+pad+`"`))
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 4096 {
			check(t, text)
		}
	})
}

func TestDepthIsLimitedAsInEncodingJSON(t *testing.T) {
	for _, open := range []string{`[`, `{"a":`} {
		for _, depth := range []int{MaxDepth, MaxDepth + 1} {
			text := []byte(strings.Repeat(open, depth) + "1" + strings.Repeat(map[string]string{`[`: `]`}[open], depth))
			if open != `[` {
				text = append(text, strings.Repeat(`}`, depth)...)
			}
			_, err := Value(text, 0, 0)
			assert.Equal(t, json.Valid(text), err == nil)
			assert.Equal(t, depth > MaxDepth, err == ErrDepth)
		}
	}
	_, err := Value([]byte(strings.Repeat(`[`, 10)), 0, MaxDepth-9)
	assert.Equal(t, ErrDepth, err, "what it is in counts")
}

func TestScanningAllocatesNothing(t *testing.T) {
	text := []byte(`{"a":[1,2.5e7,"é\n",null,true],"b":{"c":false}}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = Value(text, 0, 0) }))
}
