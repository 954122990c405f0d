// Package fakes replaces the keys in an auto-configuration stream by fakes, so that a recording can be shown to others.
package fakes

import (
	"fmt"
	"strings"
)

// Fakes replaces keys. The same key gets the same fake for as long as a Fakes lives, and two keys never get the same
// one. A fake says nothing about its key but the prefix, the length and where the dashes are: it is made from a count.
type Fakes struct {
	fakes map[string]string // by key
	taken map[string]bool   // every fake so far
}

// New makes a Fakes that has seen no key.
func New() *Fakes {
	return &Fakes{fakes: make(map[string]string), taken: make(map[string]bool)}
}

// Key returns the fake for a key. The empty key stays empty: that it is missing is no secret.
func (f *Fakes) Key(key string) string {
	if key == "" {
		return ""
	}
	if fake, known := f.fakes[key]; known {
		return fake
	}
	for n := len(f.fakes) + 1; ; n++ {
		fake := shape(key, n)
		if _, isKey := f.fakes[fake]; fake == key || isKey || f.taken[fake] {
			continue
		}
		f.fakes[key], f.taken[fake] = fake, true
		return fake
	}
}

// In tells whether a text holds a key that has been replaced, or something that looks like one.
func (f *Fakes) In(text string) bool {
	for _, prefix := range prefixes {
		if strings.Contains(text, prefix) {
			return true
		}
	}
	for key := range f.fakes {
		if strings.Contains(text, key) {
			return true
		}
	}
	return false
}

// prefixes are those of the service's secrets.
var prefixes = []string{"sdk-", "mob-", "rel-", "api-"}

func looksLikeKey(text string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// pattern fills the fakes, from the left: "fa4e" looks like "fake" and is hexadecimal, which keys are.
const pattern = "fa4e"

// shape makes the fake number n in the shape of a key: "sdk-fa4e0000-0000-4000-8000-000000000001". The prefix and the
// dashes stay. The number is at the right, and makes the fake longer than the key if it does not fit.
func shape(key string, n int) string {
	prefix := ""
	if end := strings.IndexByte(key, '-'); end > 0 && end <= 4 {
		prefix = key[:end+1]
	}
	rest := key[len(prefix):]
	var fake []byte
	if isUUID(rest) {
		fake = []byte("fa4e0000-0000-4000-8000-000000000000")
	} else {
		fake = fill(rest)
	}
	digits := fmt.Sprintf("%x", n)
	for i := len(fake) - 1; i >= 0 && digits != ""; i-- {
		if fake[i] != '-' {
			fake[i] = digits[len(digits)-1]
			digits = digits[:len(digits)-1]
		}
	}
	return prefix + digits + string(fake)
}

func fill(rest string) []byte {
	fake := []byte(rest)
	filled := 0
	for i := range fake {
		switch {
		case fake[i] == '-':
		case filled < len(pattern):
			fake[i] = pattern[filled]
			filled++
		default:
			fake[i] = '0'
		}
	}
	return fake
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') {
			return false
		}
	}
	return true
}
