package keepalive

import (
	"github.com/fxamacker/cbor/v2"
)

// The types of messages: the first element of a message's array.
const (
	MessageTypeKeepAlive         = 0
	MessageTypeKeepAliveResponse = 1
	MessageTypeDone              = 2
)

// Message is a message of the protocol: *[MsgKeepAlive], *[MsgKeepAliveResponse] or *[MsgDone].
type Message interface {
	Type() uint8                  // MessageTypeKeepAlive, MessageTypeKeepAliveResponse or MessageTypeDone
	MarshalCBOR() ([]byte, error) // canonical CBOR; the error is always nil
}

// MsgKeepAlive is the client's question.
type MsgKeepAlive struct{ Cookie uint16 }

// MsgKeepAliveResponse is the server's answer. Its cookie is the question's.
type MsgKeepAliveResponse struct{ Cookie uint16 }

// MsgDone is the client's last message.
type MsgDone struct{}

// NewMsgKeepAlive returns a KeepAlive.
func NewMsgKeepAlive(cookie uint16) *MsgKeepAlive { return &MsgKeepAlive{Cookie: cookie} }

// NewMsgKeepAliveResponse returns a KeepAliveResponse.
func NewMsgKeepAliveResponse(cookie uint16) *MsgKeepAliveResponse {
	return &MsgKeepAliveResponse{Cookie: cookie}
}

// NewMsgDone returns a Done.
func NewMsgDone() *MsgDone { return &MsgDone{} }

// Type returns [MessageTypeKeepAlive].
func (*MsgKeepAlive) Type() uint8 { return MessageTypeKeepAlive }

// Type returns [MessageTypeKeepAliveResponse].
func (*MsgKeepAliveResponse) Type() uint8 { return MessageTypeKeepAliveResponse }

// Type returns [MessageTypeDone].
func (*MsgDone) Type() uint8 { return MessageTypeDone }

// MarshalCBOR returns [0, cookie].
func (m *MsgKeepAlive) MarshalCBOR() ([]byte, error) {
	return encoding.Marshal([]uint16{MessageTypeKeepAlive, m.Cookie})
}

// MarshalCBOR returns [1, cookie].
func (m *MsgKeepAliveResponse) MarshalCBOR() ([]byte, error) {
	return encoding.Marshal([]uint16{MessageTypeKeepAliveResponse, m.Cookie})
}

// MarshalCBOR returns [2].
func (*MsgDone) MarshalCBOR() ([]byte, error) {
	return encoding.Marshal([]uint16{MessageTypeDone})
}

var encoding = must(cbor.CanonicalEncOptions().EncMode())

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
