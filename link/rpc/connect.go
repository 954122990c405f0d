package rpc

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// connect makes one connection and serves it until it ends. It returns how long that lasted since the server accepted it.
func (c *StreamClient) connect() (lasted time.Duration, err error) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	stream, err := c.open(ctx, cancel)
	if err != nil {
		return 0, err
	}
	accepted := time.Now()
	c.connected()
	dispatcher := c.registry.StartDispatcher()
	c.ending.Go(func() { c.sendResponses(stream, dispatcher.Chan(), cancel) })
	for {
		command, err := stream.Recv()
		if err != nil {
			c.ending.Go(dispatcher.Stop) // not awaited: a handler that hangs must not keep the client away
			return time.Since(accepted), ended(err)
		}
		if request := command.GetRequest(); request != nil {
			c.nextID = max(c.nextID, request.GetId()+1)
		}
		dispatcher.ProcessCommand(command)
	}
}

// open connects and waits until the server has accepted the client. cancel ends ctx.
func (c *StreamClient) open(ctx context.Context, cancel context.CancelFunc) (rpcpb.Coordinator_ConnectClient, error) {
	timeout := time.AfterFunc(c.connectTimeout, cancel)
	stream, err := c.hello(ctx)
	if !timeout.Stop() {
		return nil, status.Errorf(codes.DeadlineExceeded,
			"rpc: the server did not accept the connection within %v", c.connectTimeout)
	}
	return stream, err
}

func (c *StreamClient) hello(ctx context.Context) (rpcpb.Coordinator_ConnectClient, error) {
	stream, err := c.client.Connect(ctx)
	if err != nil {
		return nil, ended(err)
	}
	hello := &rpcpb.Hello{Name: c.name, NextId: c.nextID}
	_ = stream.Send(&rpcpb.ClientToServer{Message: &rpcpb.ClientToServer_Hello{Hello: hello}}) // Recv has its error
	if header, err := stream.Header(); err != nil {
		return nil, ended(err)
	} else if header == nil || len(header.Get(refusedKey)) > 0 { // refused; other servers may end the stream without headers
		_, err := stream.Recv()
		return nil, ended(err)
	}
	return stream, nil
}

// ended returns the error of a stream that has ended, always one with a status.
func ended(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return status.Error(codes.Unavailable, "rpc: the server ended the connection")
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.FromContextError(err).Err()
}

// sendResponses sends the responses of a dispatcher until that is stopped. A stream that fails is cancelled, which stops
// the dispatcher; the rest is dropped then.
func (c *StreamClient) sendResponses(
	stream rpcpb.Coordinator_ConnectClient, responses <-chan *rpcpb.Response, cancel context.CancelFunc,
) {
	for response := range responses {
		message := &rpcpb.ClientToServer{Message: &rpcpb.ClientToServer_Response{Response: response}}
		if size := proto.Size(message); c.maxResponse > 0 && size > c.maxResponse {
			message.Message = &rpcpb.ClientToServer_Response{Response: tooLarge(response.GetId(), size, c.maxResponse)}
		}
		if err := stream.Send(message); err != nil {
			cancel()
		}
	}
}

func tooLarge(id uint64, size, limit int) *rpcpb.Response {
	return failure(id, status.Errorf(codes.ResourceExhausted,
		"rpc: the answer has %d bytes: the server can be sent %d at most", size, limit))
}
