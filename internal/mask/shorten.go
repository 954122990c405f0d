package mask

import "unicode/utf8"

// longest is how many bytes of a name are shown: more than any real name has.
const longest = 64

// Shorten cuts a name that comes from the service, so that a broken one can't flood a log.
func Shorten(name string) string {
	if len(name) <= longest {
		return name
	}
	// Not within a character. In text that is not UTF-8, nobody knows where a character starts.
	for end := longest; end > longest-utf8.UTFMax; end-- {
		if utf8.RuneStart(name[end]) {
			return name[:end] + Ellipsis
		}
	}
	return name[:longest] + Ellipsis
}
