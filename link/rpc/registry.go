package rpc

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// DefaultMaxHandlers is how many handlers of one registry run at once, unless [HandlerRegistry.SetMaxHandlers] says
// otherwise.
const DefaultMaxHandlers = 256

// HandlerRegistry has the functions of a client, one for each type of request. Its methods may be called from any
// goroutine.
type HandlerRegistry struct {
	mu        sync.Mutex
	functions map[protoreflect.FullName]function
	onPanic   func(request string, value any, stack []byte)
	limit     int
	running   int
}

// function decodes a request, calls its handler and encodes the answer.
type function func(ctx context.Context, payload []byte) ([]byte, error)

// NewHandlerRegistry returns a registry without functions.
func NewHandlerRegistry() *HandlerRegistry {
	return &HandlerRegistry{
		functions: map[protoreflect.FullName]function{},
		onPanic:   func(string, any, []byte) {},
		limit:     DefaultMaxHandlers,
	}
}

// RegisterFunction adds the function for requests of type Req, a pointer to a generated message. It returns an error if
// there is one already, if Req is no such pointer, or if handler is nil. Functions may be added at any time.
//
// The handler runs in a goroutine of its own. Its context ends with the caller's deadline, when the caller gives up, and
// when the connection ends. Its error reaches the caller with its gRPC status; one without a status gets the code
// Unknown. A panic is an error with the code Internal for its caller.
func RegisterFunction[Req, Resp proto.Message](
	registry *HandlerRegistry, handler func(context.Context, Req) (Resp, error),
) error {
	var none Req
	if reqType := reflect.TypeFor[Req](); reqType.Kind() != reflect.Pointer {
		return fmt.Errorf("rpc: a function for %v can't be registered: use a pointer to a generated message", reqType)
	}
	message := none.ProtoReflect().Type()
	name := message.Descriptor().FullName()
	if handler == nil {
		return fmt.Errorf("rpc: the function for %s is nil: pass a handler", name)
	}
	return registry.add(name, func(ctx context.Context, payload []byte) ([]byte, error) {
		req := message.New().Interface()
		if err := proto.Unmarshal(payload, req); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "rpc: the request is no %s: %v", name, err)
		}
		resp, err := handler(ctx, req.(Req))
		if err != nil {
			return nil, err
		}
		answer, err := proto.Marshal(resp)
		if err != nil {
			return nil, status.Errorf(codes.Internal, "rpc: the answer to %s could not be encoded: %v", name, err)
		}
		return answer, nil
	})
}

func (r *HandlerRegistry) add(name protoreflect.FullName, added function) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.functions[name] != nil {
		return fmt.Errorf("rpc: there is a function for %s already: each type of request has one", name)
	}
	r.functions[name] = added
	return nil
}

// SetMaxHandlers sets how many handlers run at once, over all dispatchers of the registry. A request beyond that gets an
// error with the code ResourceExhausted. A handler counts until it returns, also after its caller has given up. A number
// below 1 sets [DefaultMaxHandlers]. It is to be called before StartDispatcher.
func (r *HandlerRegistry) SetMaxHandlers(limit int) {
	if limit < 1 {
		limit = DefaultMaxHandlers
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = limit
}

// OnPanic sets a function that is told of each panic of a handler: the request's type, the value of the panic and the
// stack. The caller gets none of it, only an error with the code Internal.
func (r *HandlerRegistry) OnPanic(onPanic func(request string, value any, stack []byte)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onPanic = onPanic
}

// begin returns the function for a request, and counts it as running until finish is called. Its errors are those that
// the caller gets.
func (r *HandlerRegistry) begin(payload *anypb.Any) (function, error) {
	name := payload.MessageName()
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.functions[name]
	if found == nil {
		return nil, status.Errorf(codes.Unimplemented, "rpc: the client has no function for requests of type %q", name)
	}
	if r.running >= r.limit {
		return nil, status.Errorf(codes.ResourceExhausted,
			"rpc: the client runs %d handlers, and no more at once: try again later", r.limit)
	}
	r.running++
	return found, nil
}

func (r *HandlerRegistry) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}

func (r *HandlerRegistry) maxHandlers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limit
}

func (r *HandlerRegistry) panicked(request string, value any, stack []byte) {
	r.mu.Lock()
	onPanic := r.onPanic
	r.mu.Unlock()
	onPanic(request, value, stack)
}
