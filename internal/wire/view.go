package wire

import "unsafe"

// View returns the bytes of a text without a copy. They must not be modified.
//
// Texts are kept as strings, since nobody can change those, and scanned and passed on as bytes. With copies a first put
// took 1.26 times as long, and a patch 1.35 times.
func View(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }
