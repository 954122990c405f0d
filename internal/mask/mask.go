// Package mask hides secrets in texts that people read: logs, errors, and formatted values.
package mask

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// shown is how many characters of a key stay readable: enough to tell two keys apart, too few to use one.
const shown = 4

// Ellipsis stands for the part of a key that is hidden.
const Ellipsis = "…"

// Key returns an ellipsis and the last four characters of a key. A key of four characters or fewer is hidden
// altogether, and the empty key stays empty, so that a missing key can be told from a hidden one.
func Key(key string) string {
	if key == "" {
		return ""
	}
	start := len(key)
	for range shown {
		_, size := utf8.DecodeLastRuneInString(key[:start])
		start -= size
	}
	if start <= 0 {
		return Ellipsis
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
