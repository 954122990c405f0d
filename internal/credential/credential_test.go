package credential

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name, key string
		want      error
	}{
		{"a key", "rel-00000000-0000-4000-8000-000000000001", nil},
		{"any visible ASCII", "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", nil},
		{"nothing", "", ErrEmpty},
		{"a blank", "rel- key", ErrUnfit},
		{"a blank at the end", "rel-key ", ErrUnfit},
		{"a tab", "rel-\tkey", ErrUnfit},
		{"a line break", "rel-key\n", ErrUnfit},
		{"NUL", "rel-\x00key", ErrUnfit},
		{"DEL", "rel-\x7fkey", ErrUnfit},
		{"not ASCII", "rel-kéy", ErrUnfit},
		{"invalid UTF-8", "rel-\xff", ErrUnfit},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, Check(test.key)) })
	}
}
