package mask

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestJSONMasksByStructure(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"keys in their places",
			`{"path" : "/environments/e1" , "data":{"envID":"e1","envName":"A & B","mobKey" : "mob-12345678","sdkKey":{"value":	"sdk-12345678"},"version":1}}`,
			`{"data":{"envID":"e1","envName":"A & B","mobKey":"…78","sdkKey":{"value":"…78"},"version":1},"path":"/environments/e1"}`},
		{"lists of keys", `{"sdkKeys":[{"key":"default","value":"sdk-12345678","expiry":null}]}`,
			`{"sdkKeys":[{"expiry":null,"key":"default","value":"…78"}]}`},
		{"escapes", `{"value":"\u0073dk-12345678"}`, `{"value":"…78"}`},
		{"an unknown member", `{"token":["abcdefghij"]}`, `{"token":["…ij"]}`},
		{"a bare string", `" "`, `"…"`},
		{"big numbers stay as they are", `{"timestamp":123456789012345678901234567890}`, `{"timestamp":123456789012345678901234567890}`},
		{"not JSON", `{"value":"sdk-12345678"`, `(23 bytes that are not JSON)`},
		{"more than one text", `{} {"value":"sdk-12345678"}`, `(27 bytes that are not JSON)`},
		{"very long", `"` + strings.Repeat("x", mostDumped) + `"`, `(16386 bytes)`},
		{"a long name", `{"envName":"` + strings.Repeat("é", 100) + `"}`, `{"envName":"` + strings.Repeat("é", 32) + `…"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, JSON([]byte(test.text)))
		})
	}
}
