package inlinekeepalive

import (
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/link/inlinekeepalive/inlinekeepalivepb"
)

const fieldNumber = 412961201

func TestTheBytesOfAKeepalive(t *testing.T) {
	want := append([]byte{0x8a, 0x9b, 0xa9, 0xa7, 0x0c, 28}, "relayconf inline keepalive 1"...)
	assert.Equal(t, hex.EncodeToString(want), hex.EncodeToString(keepaliveBytes))
	assert.Equal(t, want, append(protowire.AppendTag(nil, fieldNumber, protowire.BytesType), protowire.AppendString(nil, signature)...))
}

func TestAKeepaliveIsRecognisedInAnyType(t *testing.T) {
	for _, message := range []proto.Message{
		&emptypb.Empty{}, &anypb.Any{}, &timestamppb.Timestamp{}, &structpb.Struct{},
		&testpb.StreamingOutputCallRequest{}, &testpb.SimpleRequest{}, &inlinekeepalivepb.Keepalive{},
		&inlinekeepalivepb.GetVersionInfoResponse{}, &descriptorpb.FileDescriptorProto{}, // proto2
		dynamicpb.NewMessage((&testpb.Payload{}).ProtoReflect().Descriptor()),
	} {
		require.NoError(t, proto.Unmarshal(keepaliveBytes, message))
		assert.True(t, IsKeepalive(message), "%T", message)
	}
}

func TestAMessageOfTheApplicationIsNoKeepalive(t *testing.T) {
	tag := func(number protowire.Number, kind protowire.Type) []byte {
		return protowire.AppendTag(nil, number, kind)
	}
	text := func(text string) []byte { return protowire.AppendString(tag(fieldNumber, protowire.BytesType), text) }
	for name, row := range map[string]struct {
		into  proto.Message
		bytes []byte
	}{
		"no field at all":                  {&emptypb.Empty{}, nil},
		"another unknown field":            {&emptypb.Empty{}, protowire.AppendString(tag(99, protowire.BytesType), signature)},
		"the number, as a varint":          {&emptypb.Empty{}, protowire.AppendVarint(tag(fieldNumber, protowire.VarintType), 1)},
		"the number, as fixed32":           {&emptypb.Empty{}, protowire.AppendFixed32(tag(fieldNumber, protowire.Fixed32Type), 1)},
		"the number, as fixed64":           {&emptypb.Empty{}, protowire.AppendFixed64(tag(fieldNumber, protowire.Fixed64Type), 1)},
		"the number, as a group":           {&emptypb.Empty{}, protowire.AppendGroup(tag(fieldNumber, protowire.StartGroupType), fieldNumber, nil)},
		"the number, with another text":    {&emptypb.Empty{}, text(strings.Repeat("x", len(signature)))},
		"the number, with no text":         {&emptypb.Empty{}, text("")},
		"the signature's beginning":        {&emptypb.Empty{}, text(signature[:len(signature)-1])},
		"the keepalive twice":              {&emptypb.Empty{}, append(text(signature), text(signature)...)},
		"the keepalive and another field":  {&emptypb.Empty{}, append(text(signature), protowire.AppendVarint(tag(99, protowire.VarintType), 1)...)},
		"the keepalive and a known field":  {&timestamppb.Timestamp{}, append(protowire.AppendVarint(tag(1, protowire.VarintType), 7), text(signature)...)},
		"a known field":                    {&timestamppb.Timestamp{}, protowire.AppendVarint(tag(1, protowire.VarintType), 7)},
		"the own type, with another text":  {&inlinekeepalivepb.Keepalive{}, text("x")},
		"the own type, with another field": {&inlinekeepalivepb.Keepalive{}, append(text(signature), protowire.AppendVarint(tag(99, protowire.VarintType), 1)...)},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, proto.Unmarshal(row.bytes, row.into))
			before := proto.Clone(row.into)
			assert.False(t, IsKeepalive(row.into))

			// It passes through unchanged.
			into := row.into.ProtoReflect().New().Interface()
			require.NoError(t, receive(source{row.bytes}.stream(), into))
			assert.True(t, proto.Equal(before, into))
		})
	}
	assert.False(t, IsKeepalive(nil))
	assert.False(t, IsKeepalive((*emptypb.Empty)(nil)))
}

// source has the bytes of messages, which its stream decodes as gRPC's codec does.
type source [][]byte

func (s source) stream() *decoder { return &decoder{s} }

type decoder struct{ left source }

func (d *decoder) RecvMsg(m any) error {
	data := d.left[0]
	d.left = d.left[1:]
	if v1, ok := m.(protoadapt.MessageV1); ok {
		m = protoadapt.MessageV2Of(v1)
	}
	return proto.Unmarshal(data, m.(proto.Message))
}

// requiring is a type with a required field, as proto2 has them.
func requiring(t *testing.T) protoreflect.MessageDescriptor {
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("requiring.proto"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Requiring"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("id"), Number: proto.Int32(1),
				Label: descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum(),
				Type:  descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum(),
			}},
		}},
	}, nil)
	require.NoError(t, err)
	return file.Messages().Get(0)
}

func TestTypesWithRequiredFields(t *testing.T) {
	descriptor := requiring(t)
	for name, empty := range map[string]proto.Message{
		"dynamic":   dynamicpb.NewMessage(descriptor),
		"generated": &descriptorpb.UninterpretedOption_NamePart{}, // name_part and is_extension are required
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, proto.Unmarshal(keepaliveBytes, empty), "not a type with required fields")
			full := []byte{0x08, 0x07}
			if name == "generated" {
				full = []byte{0x0a, 0x01, 'x', 0x10, 0x01}
			}
			want := empty.ProtoReflect().New().Interface()
			require.NoError(t, proto.Unmarshal(full, want))

			stream := source{keepaliveBytes, keepaliveBytes, full}.stream()
			got := empty.ProtoReflect().New().Interface()
			require.NoError(t, receive(stream, got))
			assert.True(t, proto.Equal(want, got))

			// A message of the application without them is the error that it always was.
			wantErr := proto.Unmarshal(nil, empty)
			require.Error(t, wantErr)
			assert.EqualError(t, receive(source{nil}.stream(), got), wantErr.Error())
			assert.Error(t, receive(source{[]byte{0xff}}.stream(), got), "bytes that are no protobuf")
		})
	}
}

// oldMessage is a message as generated code was before 2020.
type oldMessage struct {
	ID               int32  `protobuf:"varint,1,opt,name=id,proto3"`
	XXX_unrecognized []byte `json:"-"`
}

func (m *oldMessage) Reset()         { *m = oldMessage{} }
func (m *oldMessage) String() string { return "" }
func (*oldMessage) ProtoMessage()    {}

func TestMessagesOfOldGeneratedCode(t *testing.T) {
	got := &oldMessage{}
	require.NoError(t, receive(source{keepaliveBytes, {0x08, 0x07}}.stream(), got))
	assert.Equal(t, &oldMessage{ID: 7}, got)
}

func TestAKeepaliveLeavesNoTrace(t *testing.T) {
	got, calls := &timestamppb.Timestamp{}, 0
	err := receive(recvFunc(func(m any) error {
		if calls++; calls > 1 {
			return io.EOF
		}
		return proto.Unmarshal(keepaliveBytes, m.(proto.Message))
	}), got)
	assert.Equal(t, io.EOF, err)
	assert.Empty(t, got.ProtoReflect().GetUnknown())
}

func TestWhatIsNoProtobufPassesThrough(t *testing.T) {
	var frame []byte
	require.NoError(t, receive(recvFunc(func(m any) error { *m.(*[]byte) = []byte("raw"); return nil }), &frame))
	assert.Equal(t, "raw", string(frame))
}

type recvFunc func(m any) error

func (f recvFunc) RecvMsg(m any) error { return f(m) }
