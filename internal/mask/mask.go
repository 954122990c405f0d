// Package mask hides secrets in texts that people read: logs, errors, and formatted values.
package mask

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// shown is how many characters of a key stay readable: enough to tell two keys apart, too few to use one. A key shorter than
// shortKey would lose too much of its secret, so it shows shownOfShort, and one shorter than tinyKey nothing.
const (
	shown        = 4
	shortKey     = 16
	shownOfShort = 2
	tinyKey      = 8
)

// Ellipsis stands for the part of a key that is hidden.
const Ellipsis = "…"

// Key returns an ellipsis and the last four characters of a key; of one with fewer than 16 characters the last two, and of
// one with fewer than 8 none. The empty key stays empty, so that a missing key can be told from a hidden one.
func Key(key string) string {
	if key == "" {
		return ""
	}
	readable := shown
	switch n := utf8.RuneCountInString(key); {
	case n < tinyKey:
		return Ellipsis
	case n < shortKey:
		readable = shownOfShort
	}
	start := len(key)
	for range readable {
		_, size := utf8.DecodeLastRuneInString(key[:start])
		start -= size
	}
	return Ellipsis + key[start:]
}

// Format writes a key for package fmt, masked with every verb. The Go-syntax form (%#v) names the type.
func Format(f fmt.State, verb rune, typeName, key string) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprintf(f, "%s(%s)", typeName, strconv.Quote(Key(key)))
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), Key(key))
}
