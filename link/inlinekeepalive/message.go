package inlinekeepalive

import (
	"bytes"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoiface"

	"github.com/relayconf/relayconf/link/inlinekeepalive/inlinekeepalivepb"
)

const signature = "relayconf inline keepalive 1"

var (
	keepalive      = &inlinekeepalivepb.Keepalive{Signature: signature}
	keepaliveBytes = mustMarshal(keepalive)
)

func mustMarshal(message proto.Message) []byte {
	data, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return data
}

// IsKeepalive says whether a message, of any type, was decoded from a keepalive: its unknown fields are the keepalive's
// only field, and no other field is set.
func IsKeepalive(message proto.Message) bool {
	if message == nil {
		return false
	}
	if own, ok := message.(*inlinekeepalivepb.Keepalive); ok {
		return own.GetSignature() == signature && len(own.ProtoReflect().GetUnknown()) == 0
	}
	reflection := message.ProtoReflect()
	return bytes.Equal(reflection.GetUnknown(), keepaliveBytes) && !hasFields(reflection)
}

func hasFields(message protoreflect.Message) bool {
	found := false
	message.Range(func(protoreflect.FieldDescriptor, protoreflect.Value) bool {
		found = true
		return false
	})
	return found
}

// receive receives the next message that is no keepalive.
func receive(stream interface{ RecvMsg(m any) error }, m any) error {
	message := protoMessage(m)
	if message == nil {
		return stream.RecvMsg(m)
	}
	if message.ProtoReflect().Descriptor().RequiredNumbers().Len() > 0 {
		m = &tolerant{message}
	}
	for {
		if err := stream.RecvMsg(m); err != nil {
			return err
		}
		if !IsKeepalive(message) {
			return nil
		}
		proto.Reset(message)
	}
}

// protoMessage returns m as a protobuf message, or nil if it is none, such as the frames of a proxy.
func protoMessage(m any) proto.Message {
	switch message := m.(type) {
	case proto.Message:
		return message
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(message)
	}
	return nil
}

// tolerant is a message with required fields, into which a keepalive can be decoded, although it has none of them.
type tolerant struct{ message proto.Message }

// ProtoReflect implements proto.Message.
func (t *tolerant) ProtoReflect() protoreflect.Message {
	return tolerantReflection{t.message.ProtoReflect()}
}

type tolerantReflection struct{ protoreflect.Message }

// ProtoMethods makes decoding look at the bytes first. Any other message is decoded and checked as it always is.
func (t tolerantReflection) ProtoMethods() *protoiface.Methods {
	return &protoiface.Methods{
		Unmarshal: func(in protoiface.UnmarshalInput) (protoiface.UnmarshalOutput, error) {
			out := protoiface.UnmarshalOutput{}
			if bytes.Equal(in.Buf, keepaliveBytes) {
				out.Flags = protoiface.UnmarshalInitialized
			}
			err := proto.UnmarshalOptions{Merge: true, AllowPartial: true}.Unmarshal(in.Buf, t.Interface())
			return out, err
		},
		CheckInitialized: func(protoiface.CheckInitializedInput) (protoiface.CheckInitializedOutput, error) {
			return protoiface.CheckInitializedOutput{}, proto.CheckInitialized(t.Interface())
		},
	}
}
