package mask

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestShortenCutsBetweenCharacters(t *testing.T) {
	for name, want := range map[string]string{
		"":                            "",
		strings.Repeat("x", 64):       strings.Repeat("x", 64),
		strings.Repeat("x", 65):       strings.Repeat("x", 64) + "…",
		strings.Repeat("é", 33):       strings.Repeat("é", 32) + "…",
		"x" + strings.Repeat("é", 33): "x" + strings.Repeat("é", 31) + "…",
		"x" + strings.Repeat("😀", 20): "x" + strings.Repeat("😀", 15) + "…",
		// Bytes that continue a character which never began, as a broken service may send them.
		strings.Repeat("\xb8", 500): strings.Repeat("\xb8", 64) + "…",
	} {
		assert.Equal(t, want, Shorten(name))
	}
}
