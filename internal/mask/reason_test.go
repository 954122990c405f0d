package mask

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAReasonIsOneLineWithoutSecrets(t *testing.T) {
	const key = "rel-a"
	for _, row := range []struct{ name, text, want string }{
		{"a sentence", "this hub is shutting down\n", "this hub is shutting down"},
		{"the first line alone", "\r\n one\r\ntwo", "one"},
		{"nothing", " \n\t", ""},
		{"the key", "no relay may use rel-a here", "no relay may use … here"},
		{"another key", `unknown: "sdk-00000000-0000-4000-8000-00000000c0de"`, `unknown: "…c0de"`},
		{"a token", "bad eyJhbGciOiJIUzI1NiJ9.abcdefghijklmnopqrstuvwxyz", "bad …NiJ9.…wxyz"},
		{"the query of a URI", "Cannot GET /relay_auto_config?token=hunter2&x=1 now", "Cannot GET /relay_auto_config?… now"},
		{"a password in a URI", "no route to http://user:hunter2@proxy:3128", "no route to http://…@proxy:3128"},
		{"characters that steer a terminal", "red \x1b[31malert\x07\u202e \xff", "red [31malert"},
		{"a long one", strings.Repeat("long ", 100), strings.Repeat("long ", 40) + "…"},
		{"JSON", `{"code":"unauthorized","message":"invalid key"}`, `{"code":"unauthorized","message":"invalid key"}`},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, Reason(row.text, key)) })
	}
}
