package keepalive

import (
	"errors"
	"io"
	"math"

	"github.com/fxamacker/cbor/v2"
)

// MaxMessageSize is the longest message that is read, in bytes. The protocol's own have at most 5 in canonical CBOR.
const MaxMessageSize = 64

var decoding = must(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden}.DecMode())

// NewMsgFromCBOR decodes one message, of the given type. Its errors match [ErrProtocol], and one of [ErrUnknownType],
// [ErrOutOfTurn] (the message is of another type), [ErrIndefinite], [ErrTooLong], [ErrTrailing] and [ErrMalformed].
func NewMsgFromCBOR(msgType uint, data []byte) (Message, error) {
	if msgType > MessageTypeDone {
		return nil, mistake(ErrUnknownType, "%d", msgType)
	}
	message, rest, err := decode(data)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, mistake(ErrMalformed, "the message is cut off")
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, mistake(ErrTrailing, "%d of %d bytes", len(rest), len(data))
	case uint(message.Type()) != msgType:
		return nil, mistake(ErrOutOfTurn, "type %d, not %d", message.Type(), msgType)
	}
	return message, nil
}

// decode decodes the message that data begins with, and returns the bytes after it. Where data ends within a message
// that is well-formed so far, and not too long, the error is io.ErrUnexpectedEOF.
func decode(data []byte) (Message, []byte, error) {
	if len(data) == 0 {
		return nil, nil, io.ErrUnexpectedEOF
	}
	const majorType, arrayType, indefinite = 0xe0, 0x80, 0x1f
	if data[0]&majorType != arrayType {
		return nil, nil, mistake(ErrMalformed, "a message is an array; this begins with the byte %#02x", data[0])
	}
	if data[0] == arrayType|indefinite {
		return nil, nil, mistake(ErrIndefinite, "array")
	}
	var elements []cbor.RawMessage
	rest, err := decoding.UnmarshalFirst(data[:min(len(data), MaxMessageSize)], &elements)
	var indefiniteError *cbor.IndefiniteLengthError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && len(data) >= MaxMessageSize:
		return nil, nil, mistake(ErrTooLong, "it has not ended")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil, io.ErrUnexpectedEOF
	case errors.As(err, &indefiniteError):
		return nil, nil, mistake(ErrIndefinite, "%v", err)
	case err != nil:
		return nil, nil, mistake(ErrMalformed, "%v", err)
	}
	message, err := fromElements(elements)
	return message, data[min(len(data), MaxMessageSize)-len(rest):], err
}

func fromElements(elements []cbor.RawMessage) (Message, error) {
	if len(elements) == 0 {
		return nil, mistake(ErrMalformed, "an empty array")
	}
	msgType, ok := unsigned(elements[0])
	if !ok {
		return nil, mistake(ErrMalformed, "the message type is not an unsigned integer")
	}
	length := 2
	switch msgType {
	case MessageTypeDone:
		length = 1
	case MessageTypeKeepAlive, MessageTypeKeepAliveResponse:
	default:
		return nil, mistake(ErrUnknownType, "%d", msgType)
	}
	if len(elements) != length {
		return nil, mistake(ErrMalformed, "a message of type %d has %d elements, not %d", msgType, length, len(elements))
	}
	if msgType == MessageTypeDone {
		return NewMsgDone(), nil
	}
	cookie, ok := unsigned(elements[1])
	if !ok || cookie > math.MaxUint16 {
		return nil, mistake(ErrMalformed, "the cookie is not an unsigned integer below 65536")
	}
	if msgType == MessageTypeKeepAlive {
		return NewMsgKeepAlive(uint16(cookie)), nil
	}
	return NewMsgKeepAliveResponse(uint16(cookie)), nil
}

// unsigned returns the value of an unsigned integer. It looks at the CBOR type itself, as the decoder would turn null into 0.
func unsigned(element cbor.RawMessage) (uint64, bool) {
	if element[0]>>5 != 0 {
		return 0, false
	}
	var value uint64
	err := decoding.Unmarshal(element, &value)
	return value, err == nil
}

// reader cuts bytes, which come in any pieces, into messages. It never holds more than one message's bytes, and those
// that came with it.
type reader struct {
	source io.Reader
	buffer [MaxMessageSize]byte
	filled int
}

// next returns the next message. At the end of the source the error is io.EOF, and within a message io.ErrUnexpectedEOF.
func (r *reader) next() (Message, error) {
	for {
		if r.filled > 0 {
			message, rest, err := decode(r.buffer[:r.filled])
			if err == nil {
				r.filled = copy(r.buffer[:], rest)
				return message, nil
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, err
			}
		}
		n, err := r.source.Read(r.buffer[r.filled:])
		r.filled += n
		switch {
		case n > 0:
			// An error that came with bytes comes again with the next Read.
		case errors.Is(err, io.EOF) && r.filled > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
	}
}
