package rpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clientName returns names whose order is that of their numbers.
func clientName(i int) string { return fmt.Sprintf("client-%05d", i) }

// text is a request for tests.
func text(value string) *anypb.Any {
	packed, err := anypb.New(wrapperspb.String(value))
	if err != nil {
		panic(err)
	}
	return packed
}

func request(id uint64, value string) *rpcpb.ServerToClient {
	return requestOf(&rpcpb.Request{Id: id, Payload: text(value)})
}

func requestOf(request *rpcpb.Request) *rpcpb.ServerToClient {
	return &rpcpb.ServerToClient{Command: &rpcpb.ServerToClient_Request{Request: request}}
}

func cancellation(id uint64) *rpcpb.ServerToClient {
	return &rpcpb.ServerToClient{Command: &rpcpb.ServerToClient_CancelId{CancelId: id}}
}

func answer(id uint64, payload string) *rpcpb.Response {
	return &rpcpb.Response{Id: id, Outcome: &rpcpb.Response_Payload{Payload: []byte(payload)}}
}

func requireEqualProto(t require.TestingT, expected, actual proto.Message) {
	require.True(t, proto.Equal(expected, actual), "expected: %v\nactual:   %v", expected, actual)
}
