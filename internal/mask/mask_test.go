package mask_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/internal/mask"
)

func TestKeyShowsAtMostTheLastFourCharacters(t *testing.T) {
	for _, c := range []struct{ name, key, want string }{
		{"empty stays empty", "", ""},
		{"one character", "a", "…"},
		{"four characters", "abcd", "…"},
		{"five characters", "abcde", "…bcde"},
		{"a real key", "sdk-00000000-0000-4000-8000-00000000wxyz", "…wxyz"},
		{"four multi-byte characters", "äöü€", "…"},
		{"multi-byte characters are not cut", "keyäöü€", "…äöü€"},
		{"bytes that are not UTF-8", "key\xff\xfe\xfd\xfc", "…\xff\xfe\xfd\xfc"},
		{"a cut multi-byte character", "\x82\xac", "…"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, mask.Key(c.key)) })
	}
}
