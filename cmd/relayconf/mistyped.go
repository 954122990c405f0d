package main

import (
	"regexp"

	"github.com/relayconf/relayconf/internal/mask"
)

// keyLike is the form of the service's keys, a UUID after a word, and of those that the docs advise for relays. A file may
// well be called rel-production.
var keyLike = regexp.MustCompile(`(?i)\b(?:rel|sdk|mob|api)-[0-9a-f]{8}[0-9a-f-]{8,}`)

// maskKeys masks texts that look like a key in an error about the command line or the variables: people paste keys where
// something else belongs, such as after --key-file, and such errors quote it.
func maskKeys(text string) string { return keyLike.ReplaceAllStringFunc(text, mask.Key) }
