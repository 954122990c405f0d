package keepalive

import (
	"errors"
	"fmt"
	"time"
)

// The ways in which the other side can fail, for errors.Is. The errors themselves are of the types [TimeoutError],
// [CookieError] and [ProtocolError].
var (
	// ErrTimeout: the other side was silent, or did not read, for longer than the state allows.
	ErrTimeout error = errors.New("keepalive: timeout")
	// ErrCookie: an answer had another cookie than its question.
	ErrCookie error = errors.New("keepalive: wrong cookie")
	// ErrProtocol: bytes that the protocol does not have, or not then. One of the mistakes below matches, too.
	ErrProtocol error = errors.New("keepalive: protocol violated")
)

// The mistakes that a [ProtocolError] is about, for errors.Is.
var (
	ErrOutOfTurn   error = errors.New("message out of turn")                           // the type is known, and not allowed in this state, or not from this side
	ErrUnknownType error = errors.New("unknown message type")                          // neither 0, 1 nor 2
	ErrIndefinite  error = errors.New("CBOR of indefinite length")                     // an array, or a string within it
	ErrTooLong     error = errors.New("message longer than 64 bytes")                  // see MaxMessageSize
	ErrTrailing    error = errors.New("bytes after the end of the message")            // in NewMsgFromCBOR
	ErrMalformed   error = errors.New("not a message of the keep-alive mini-protocol") // any other bytes
	ErrSegment     error = errors.New("segment that does not belong here")             // see Segments
)

// TimeoutError says that the other side took too long. It matches [ErrTimeout].
type TimeoutError struct {
	State State         // the state that lasted too long
	Limit time.Duration // the time that it may last
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("keepalive: the other side took longer than %v in state %v", e.Limit, e.State)
}

// Is says that target is [ErrTimeout].
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// Timeout makes it a timeout to os.IsTimeout.
func (e *TimeoutError) Timeout() bool { return true }

// CookieError says that an answer had another cookie than its question. It matches [ErrCookie].
type CookieError struct {
	Sent, Received uint16
}

func (e *CookieError) Error() string {
	return fmt.Sprintf("keepalive: sent cookie %d, and the answer has %d", e.Sent, e.Received)
}

// Is says that target is [ErrCookie].
func (e *CookieError) Is(target error) bool { return target == ErrCookie }

// ProtocolError says that the other side sent bytes that the protocol does not have, or not then. It matches
// [ErrProtocol] and its mistake.
type ProtocolError struct {
	Mistake error  // one of the mistakes above
	Detail  string // the mistake's place, for people
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("keepalive: %v: %s", e.Mistake, e.Detail)
}

// Is says that target is [ErrProtocol].
func (e *ProtocolError) Is(target error) bool { return target == ErrProtocol }

// Unwrap returns the mistake.
func (e *ProtocolError) Unwrap() error { return e.Mistake }

func mistake(kind error, format string, args ...any) error {
	return &ProtocolError{Mistake: kind, Detail: fmt.Sprintf(format, args...)}
}
