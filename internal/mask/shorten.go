package mask

import "unicode/utf8"

// longest is how many bytes of a name are shown: more than any real name has.
const longest = 64

// Shorten cuts a name that comes from the service, so that a broken one can't flood a log.
func Shorten(name string) string {
	if len(name) <= longest {
		return name
	}
	end := longest
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + Ellipsis
}
