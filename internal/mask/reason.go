package mask

import (
	"regexp"
	"strings"
	"unicode"
)

// ReasonLimit is how many bytes of a response's body Reason needs at most.
const ReasonLimit = 1 << 10

const (
	mostReason     = 200 // characters of a reason that are shown
	longestOfProse = 24  // from this length on, a word is masked without a digit, too
)

var (
	query    = regexp.MustCompile(`\?\S+`)
	userInfo = regexp.MustCompile(`//[^/\s]*@`)
	// longWord may be a key or a token. Words of prose are shorter, or have no digit.
	longWord = regexp.MustCompile(`[\pL\pN_+=~%-]{12,}`)
)

// Reason returns the first line of a text in which a service explains an error, for people: bounded, of printable
// characters, without the key and without anything that looks like a key, a password or the query of a URI.
func Reason(text, key string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if key != "" {
		line = strings.ReplaceAll(line, key, Key(key))
	}
	line = userInfo.ReplaceAllString(query.ReplaceAllString(line, "?"+Ellipsis), "//"+Ellipsis+"@")
	line = longWord.ReplaceAllStringFunc(line, func(word string) string {
		if len(word) >= longestOfProse || strings.ContainsFunc(word, unicode.IsDigit) {
			return Key(word)
		}
		return word
	})
	line = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return ' '
	}, line)
	runes := []rune(strings.Join(strings.Fields(line), " "))
	if len(runes) > mostReason {
		return string(runes[:mostReason]) + Ellipsis
	}
	return string(runes)
}
