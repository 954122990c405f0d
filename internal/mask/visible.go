package mask

import (
	"fmt"
	"strings"
	"unicode"
)

// Visible escapes the characters of a name that can't be seen: line breaks, other control characters, and marks that change
// the direction of text. A name from the service then neither looks like another line of the log nor steers the terminal
// that shows it. Bytes that are not UTF-8 become U+FFFD.
func Visible(text string) string {
	if strings.IndexFunc(text, isHidden) < 0 {
		return strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case !isHidden(r):
			out.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	return out.String()
}

func isHidden(r rune) bool { return !unicode.IsPrint(r) }
