// Package jsonscan finds its way through JSON text without decoding it and without allocating.
//
// It takes exactly the texts that encoding/json takes, which a fuzz test holds it to. The text may be cut off: then the
// error is [ErrIncomplete], and scanning can be tried again from the same place once there is more.
package jsonscan

import "errors"

// MaxDepth is how many objects and arrays may be open at once, as in encoding/json.
const MaxDepth = 10_000

var (
	// ErrIncomplete means that the text ends before the value does. A number that reaches the end of the text is
	// incomplete too, since more digits might follow.
	ErrIncomplete = errors.New("unexpected end of JSON input")
	// ErrSyntax means that the text is not JSON, and that no continuation makes it so. It does not quote the text, which may be secret.
	ErrSyntax = errors.New("invalid JSON")
	// ErrDepth means that there are more than MaxDepth objects and arrays within each other.
	ErrDepth = errors.New("JSON nested too deeply")
)
