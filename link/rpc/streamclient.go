package rpc

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

const (
	// DefaultFirstDelay and DefaultLongestDelay are the limits of the first and the longest delay of a [StreamClient]
	// between two attempts to connect.
	DefaultFirstDelay   = time.Second
	DefaultLongestDelay = 30 * time.Second

	// DefaultConnectTimeout is how long a [StreamClient] waits to be accepted.
	DefaultConnectTimeout = 30 * time.Second
)

// StreamClient keeps a client connected to a [StreamServer], and runs the handlers for its calls. When the connection
// ends, the handlers are cancelled, and it connects again.
type StreamClient struct {
	name           string
	registry       *HandlerRegistry
	client         rpcpb.CoordinatorClient
	backoff        backoff
	connectTimeout time.Duration
	maxResponse    int
	final          func(error) bool
	connected      func()
	disconnected   func(err error, retryIn time.Duration)

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	start  sync.Once
	done   chan struct{}
	err    error          // written before done is closed
	nextID uint64         // above every id that was received; used by the goroutine run alone
	ending sync.WaitGroup // dispatchers of former connections
}

// StreamClientOption is an option of [NewStreamClient].
type StreamClientOption func(*StreamClient)

// WithBackoff sets the delays between attempts to connect: any time up to first, then up to twice as much and so on up to
// longest, until a connection has lasted as long as longest. The delay is between half of longest and longest after a
// refusal that won't end soon: the codes Aborted (another client took the name), AlreadyExists, FailedPrecondition,
// ResourceExhausted and Unimplemented; and InvalidArgument, PermissionDenied and Unauthenticated, if [WithFinal] says that
// they are not final. Default: [DefaultFirstDelay], [DefaultLongestDelay].
func WithBackoff(first, longest time.Duration) StreamClientOption {
	return func(c *StreamClient) { c.backoff = backoff{first: first, longest: longest} }
}

// WithConnectTimeout sets how long to wait for the server to accept the client, before the next attempt. Default:
// [DefaultConnectTimeout].
func WithConnectTimeout(timeout time.Duration) StreamClientOption {
	return func(c *StreamClient) { c.connectTimeout = timeout }
}

// WithMaxResponseSize sets how many bytes the server can receive in one message. A larger answer reaches the caller as an
// error with the code ResourceExhausted. 0 is any number. Default: [DefaultMaxMessageSize].
func WithMaxResponseSize(bytes int) StreamClientOption {
	return func(c *StreamClient) { c.maxResponse = bytes }
}

// WithFinal sets a function that decides which errors of a connection are refusals for good; after one of those the
// client does not connect again. Default: those with the codes InvalidArgument, PermissionDenied and Unauthenticated.
func WithFinal(final func(error) bool) StreamClientOption {
	return func(c *StreamClient) { c.final = final }
}

// WithConnectFunc sets a function that is called each time the server has accepted the client, before its first call.
func WithConnectFunc(connected func()) StreamClientOption {
	return func(c *StreamClient) { c.connected = connected }
}

// WithDisconnectFunc sets a function that is called each time a connection has ended or did not come about, with the
// error, which has a gRPC status, and the delay before the next attempt; the delay is negative if there is none, because
// the refusal is final. It is not called because of Stop.
func WithDisconnectFunc(disconnected func(err error, retryIn time.Duration)) StreamClientOption {
	return func(c *StreamClient) { c.disconnected = disconnected }
}

// NewStreamClient returns a client that connects with the given name once it is started, and offers the functions of
// handlers. The name must pass [CheckName]. A CoordinatorClient over a grpc.ClientConn is reconnected by gRPC; for a
// connection that can't be, implement CoordinatorClient so that Connect dials.
func NewStreamClient(
	name string, handlers *HandlerRegistry, client rpcpb.CoordinatorClient, options ...StreamClientOption,
) *StreamClient {
	c := &StreamClient{
		name:           name,
		registry:       handlers,
		client:         client,
		backoff:        backoff{first: DefaultFirstDelay, longest: DefaultLongestDelay},
		connectTimeout: DefaultConnectTimeout,
		maxResponse:    DefaultMaxMessageSize,
		final:          isRefusal,
		connected:      func() {},
		disconnected:   func(error, time.Duration) {},
		done:           make(chan struct{}),
		nextID:         1,
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, option := range options {
		option(c)
	}
	return c
}

// Start connects, in the background. A second call does nothing, nor does one after Stop.
func (c *StreamClient) Start() {
	c.start.Do(func() { go c.run() })
}

// Stop ends the connection, cancels the handlers and waits until all have returned. It must not be called by a handler or
// by a function of an option.
func (c *StreamClient) Stop() {
	c.cancel()
	c.start.Do(func() { close(c.done) })
	<-c.done
}

// Done returns a channel that is closed when the client has ended: by Stop, or because it was refused for good.
func (c *StreamClient) Done() <-chan struct{} { return c.done }

// Err returns the error that the client was refused for good with, once Done is closed; nil before, and after Stop.
func (c *StreamClient) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

func (c *StreamClient) run() {
	defer close(c.done)
	defer c.ending.Wait()
	if err := CheckName(c.name); err != nil {
		c.err = err
		c.disconnected(err, -1)
		return
	}
	for {
		lasted, err := c.connect()
		if c.ctx.Err() != nil {
			return
		}
		if c.final(err) {
			c.err = err
			c.disconnected(err, -1)
			return
		}
		delay := c.backoff.next(lasted, isSlow(err))
		c.disconnected(err, delay)
		select {
		case <-time.After(delay):
		case <-c.ctx.Done():
			return
		}
	}
}

// isRefusal is the default of WithFinal: errors that the same name and credentials would get again.
func isRefusal(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated:
		return true
	default:
		return false
	}
}

// isSlow tells errors that won't end soon.
func isSlow(err error) bool {
	switch status.Code(err) {
	case codes.Aborted, codes.AlreadyExists, codes.FailedPrecondition, codes.ResourceExhausted, codes.Unimplemented,
		codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated: // if these are not final
		return true
	default:
		return false
	}
}
