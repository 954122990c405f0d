// Package credential says whether a key can be sent in the Authorization header. Keys come from files, variables and
// calls; this is the one check and the one wording for all of them.
package credential

import "errors"

// ErrEmpty means that there is no key.
var ErrEmpty = errors.New("is empty")

// ErrUnfit means that a key has a character which no key has. A key that was pasted with a line break or a blank is the
// usual cause.
var ErrUnfit = errors.New("holds white space, a control character or a character that is not ASCII, so it can't be sent; copy it again")

// Check returns nil if the key can be sent, else ErrEmpty or ErrUnfit. The errors continue a sentence that begins with
// "the key", and don't show it.
func Check(key string) error {
	if key == "" {
		return ErrEmpty
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c >= 0x7f {
			return ErrUnfit
		}
	}
	return nil
}
