package terminal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steering has a text of each sort that a terminal obeys or hides.
var steering = map[string]struct{ text, json, log, plain string }{
	"nothing":        {"web/ümläut 👩 東京\u00a0!", "web/ümläut 👩 東京\u00a0!", "web/ümläut 👩 東京\u00a0!", "web/ümläut 👩 東京�!"},
	"DEL":            {"a\x7fb", `a\u007fb`, `a\x7fb`, "a�b"},
	"C0":             {"a\x1b[2J", `a\u001b[2J`, `a\x1b[2J`, "a�[2J"},
	"C1":             {"a\u009b2Jb\u0080", `a\u009b2Jb\u0080`, `a\u009b2Jb\u0080`, "a�2Jb�"},
	"embedding":      {"\u202aa\u202eb\u202c", `\u202aa\u202eb\u202c`, `\u202aa\u202eb\u202c`, "�a�b�"},
	"isolates":       {"\u2066a\u2069", `\u2066a\u2069`, `\u2066a\u2069`, "�a�"},
	"marks":          {"\u200e\u200f\u061c", `\u200e\u200f\u061c`, `\u200e\u200f\u061c`, "���"},
	"line separator": {"a\u2028b", `a\u2028b`, `a\u2028b`, "a�b"},
	"a tag":          {"a\U000e0041", `a\udb40\udc41`, `a\U000e0041`, "a�"},
	"no UTF-8":       {"a\x9bb", `a\ufffdb`, "a�b", "a�b"},
}

func TestWhatSteersATerminalIsEscapedInJSON(t *testing.T) {
	for name, test := range steering {
		t.Run(name, func(t *testing.T) {
			line, err := json.Marshal(test.text)
			require.NoError(t, err)
			escaped := EscapeJSON(line)
			assert.Equal(t, `"`+test.json+`"`, string(escaped))
			var same string
			require.NoError(t, json.Unmarshal(escaped, &same))
			assert.Equal(t, strings.ToValidUTF8(test.text, "\uFFFD"), same)
		})
	}
}

func TestWhatSteersATerminalIsEscapedInWhatPeopleRead(t *testing.T) {
	for name, test := range steering {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.plain, Plain(test.text))
			var out strings.Builder
			n, err := Writer(&out).Write([]byte("x\n\t" + test.text))
			require.NoError(t, err)
			assert.Equal(t, len("x\n\t"+test.text), n)
			assert.Equal(t, "x\n\t"+test.log, out.String())
		})
	}
}
