package sse

import (
	"errors"
	"time"
)

// Kind says what an Item is.
type Kind int

const (
	Event   Kind = iota // an event was dispatched
	Comment             // a comment line
	Retry               // a retry field
)

// Item is what Reader.Next returns.
type Item struct {
	Kind Kind

	// Name is the type of an Event; "message" if the stream did not say. Only the first 64 KiB of it are kept.
	Name string

	// Data is the data of an Event, or what follows the colon of a Comment, without one leading space. It is valid
	// until the next call of Next; if it is a part (see More), until the one after that. Only the first 64 KiB of a
	// comment are kept. The bytes are as received, UTF-8 or not.
	Data []byte

	// More says that Data is a part of an Event's data: what follows comes with the next items of Kind Event. See
	// Reader.Split.
	More bool

	// Retry is the value of a Retry. What does not fit is the longest Duration.
	Retry time.Duration
}

// ErrTooLarge means that an event exceeds the limit given to NewReader.
var ErrTooLarge = errors.New("event exceeds the size limit")
