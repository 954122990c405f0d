package mask_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/internal/mask"
)

func TestKeyShowsAtMostTheLastFourCharactersAndFewerOfAShortKey(t *testing.T) {
	for _, c := range []struct{ name, key, want string }{
		{"empty stays empty", "", ""},
		{"one character", "a", "…"},
		{"seven characters", "abcdefg", "…"},
		{"eight characters", "abcdefgh", "…gh"},
		{"fifteen characters", "abcdefghijklmno", "…no"},
		{"sixteen characters", "abcdefghijklmnop", "…mnop"},
		{"a real key", "sdk-00000000-0000-4000-8000-00000000wxyz", "…wxyz"},
		{"seven multi-byte characters", "äöü€äöü", "…"},
		{"eight multi-byte characters", "äöü€äöü€", "…ü€"},
		{"multi-byte characters are not cut", "a-key-of-many-äöü€", "…äöü€"},
		{"bytes that are not UTF-8", "a-key-of-many-\xff\xfe\xfd\xfc", "…\xff\xfe\xfd\xfc"},
		{"a cut multi-byte character", "\x82\xac", "…"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, mask.Key(c.key)) })
	}
}
