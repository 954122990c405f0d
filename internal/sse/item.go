package sse

import (
	"errors"
	"time"
)

// Kind is the kind of an Item.
type Kind int

const (
	Event   Kind = iota // an event was dispatched
	Comment             // a comment line
	Retry               // a retry field
)

// Item is an event or a part of one, a comment, or a retry field.
type Item struct {
	Kind Kind

	// Name is the type of an Event; "message" if the stream did not say. Only the first 64 KiB of it are kept.
	Name string

	// Data is the data of an Event, or the text after the colon of a Comment, without one leading space. It is valid
	// until the next call of Next; with More until the call after that, so that the reader may read on while a part is
	// decoded. Only the first 64 KiB of a comment are kept. The bytes are as received, UTF-8 or not.
	Data []byte

	// More says that Data is a part of an Event's data: the rest comes with the next items of Kind Event. See
	// Names.Split.
	More bool

	// Retry is the value of a Retry. One that does not fit is the longest Duration; one of 64 KiB or more is ignored.
	Retry time.Duration
}

// ErrTooLarge means that an event exceeds the limit given to NewReader.
var ErrTooLarge = errors.New("event exceeds the size limit")
