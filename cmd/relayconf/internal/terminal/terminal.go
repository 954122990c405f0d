// Package terminal keeps text from steering the terminal that shows it: control characters (C0, DEL and C1), and the marks
// that change the direction of text, so that it reads as something else.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// steers tells whether a terminal obeys a character, or hides it, rather than shows it.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Plain replaces each character that can't be seen, but the space.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// EscapeJSON escapes control characters and direction marks in a JSON text. The text means the same.
// White space between values stays.
func EscapeJSON(text []byte) []byte { return escape(text, appendJSONEscape) }

func appendJSONEscape(text []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(text, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(text, `\u%04x`, r)
}

func appendGoEscape(text []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return fmt.Appendf(text, `\x%02x`, r)
	case r <= 0xffff:
		return fmt.Appendf(text, `\u%04x`, r)
	default:
		return fmt.Appendf(text, `\U%08x`, r)
	}
}

// escape replaces each character that steers a terminal, except line feeds and tabs, and each byte that is not UTF-8. It
// returns the same memory if there is nothing to replace.
func escape(text []byte, appendEscape func([]byte, rune) []byte) []byte {
	var escaped []byte
	kept := 0 // where the text begins that is not in escaped yet
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1: // some terminals take a lone byte for a C1 control
			escaped = append(append(escaped, text[kept:i]...), "\uFFFD"...)
			kept = i + size
		case steers(r):
			escaped = appendEscape(append(escaped, text[kept:i]...), r)
			kept = i + size
		}
		i += size
	}
	if kept == 0 {
		return text
	}
	return append(escaped, text[kept:]...)
}

// Writer returns a writer that escapes each character that steers a terminal, except line feeds and tabs.
func Writer(out io.Writer) io.Writer { return writer{out} }

type writer struct{ out io.Writer }

func (w writer) Write(text []byte) (int, error) {
	if _, err := w.out.Write(escape(text, appendGoEscape)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// TimeLayout is how the time of a log line is written, in UTC.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"
