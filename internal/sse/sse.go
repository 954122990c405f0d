// Package sse reads Server-Sent Events.
package sse

import (
	"errors"
	"io"
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
	Kind  Kind
	Name  string        // of an Event: its type; "message" if the stream did not say
	Data  []byte        // of an Event: its data; of a Comment: what follows the colon. Valid until the next call of Next
	Retry time.Duration // of a Retry
}

// ErrTooLarge means that an event or a line exceeds the limit.
var ErrTooLarge = errors.New("event exceeds the size limit")

// Reader reads one stream.
type Reader struct{}

// NewReader makes a reader. maxEventSize is in bytes; not positive means no limit.
func NewReader(r io.Reader, maxEventSize int) *Reader { panic("not yet") }

// Next returns the next item.
func (r *Reader) Next() (Item, error) { panic("not yet") }

// Silence is how long the Read that is under way has waited for a byte; 0 if none is under way. Any goroutine.
func (r *Reader) Silence(now time.Time) time.Duration { panic("not yet") }

// LastByte is when the last byte came; zero if there was none. Any goroutine.
func (r *Reader) LastByte() time.Time { panic("not yet") }

// LastField is when the last byte came that belongs to an event rather than to a comment or a blank line. Any goroutine.
func (r *Reader) LastField() time.Time { panic("not yet") }
