package mask

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVisibleShowsEveryCharacter(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"names", "web/Prod é 😀 \"x\"", "web/Prod é 😀 \"x\""},
		{"line breaks", "a\r\nERROR: b", `a\u000d\u000aERROR: b`},
		{"an escape, DEL and a C1 control", "\x1b[2J\x7f\u009b", `\u001b[2J\u007f\u009b`},
		{"marks of direction", "\u202ea\u2066", `\u202ea\u2066`},
		{"beyond 16 bits", "\U000e0001", `\U000e0001`},
		{"a lone byte", "a\x9bb", "a\ufffdb"},
		{"a lone byte beside a control", "\x9b\n", "\ufffd" + `\u000a`},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, Visible(test.text)) })
	}
}
