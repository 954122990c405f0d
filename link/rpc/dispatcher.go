package rpc

import (
	"context"
	"runtime/debug"
	"strings"
	"sync"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// Dispatcher runs the handlers for the commands that a client receives over one connection.
type Dispatcher struct {
	registry  *HandlerRegistry
	responses chan *rpcpb.Response
	slots     chan struct{} // a token for each handler that runs or whose response does not fit into responses
	ctx       context.Context
	cancel    context.CancelFunc // ends ctx, which the handlers' contexts are made of

	mu       sync.Mutex
	stopped  bool
	handlers map[uint64]*handling // by the id of their request; without those that were cancelled
	active   sync.WaitGroup       // goroutines that may write to responses; added to while mu is held
	closing  sync.Once
}

// handling is a handler at work.
type handling struct {
	request *rpcpb.Request
	run     function
	ctx     context.Context
	cancel  context.CancelFunc
}

// StartDispatcher returns a dispatcher that calls the functions of the registry. It needs a Stop. The connection hands it
// each command with ProcessCommand, and sends on every response that comes from Chan.
func (r *HandlerRegistry) StartDispatcher() *Dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	limit := r.maxHandlers()
	return &Dispatcher{
		registry:  r,
		responses: make(chan *rpcpb.Response, limit),
		slots:     make(chan struct{}, 2*limit), // so that a limit of running handlers leaves as many for unread responses
		ctx:       ctx,
		cancel:    cancel,
		handlers:  map[uint64]*handling{},
	}
}

// Chan returns the channel of responses. It is closed when Stop is done.
func (d *Dispatcher) Chan() <-chan *rpcpb.Response { return d.responses }

// ProcessCommand starts the handler of a request, or cancels one. It does not wait for handlers. It blocks only while as
// many responses are unread as handlers may run at once, which holds up a server that sends and does not receive. After
// Stop it does nothing. It may be called from several goroutines.
func (d *Dispatcher) ProcessCommand(command *rpcpb.ServerToClient) {
	switch command := command.GetCommand().(type) {
	case *rpcpb.ServerToClient_Request:
		d.request(command.Request)
	case *rpcpb.ServerToClient_CancelId:
		d.cancelRequest(command.CancelId)
	}
}

// Stop cancels the handlers and waits until all have returned. Their answers are dropped. It must not be called by a
// handler.
func (d *Dispatcher) Stop() {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.cancel()
	d.active.Wait()
	d.closing.Do(func() { close(d.responses) })
}

func (d *Dispatcher) request(request *rpcpb.Request) {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	d.active.Add(1)
	started, err := d.prepare(request)
	d.mu.Unlock()
	if err != nil {
		d.respond(failure(request.GetId(), err))
		d.active.Done()
		return
	}
	select {
	case d.slots <- struct{}{}:
	case <-d.ctx.Done(): // the handler sees it, too
	}
	go d.handle(started)
}

// prepare finds the function of a request and makes its context. It is called with d.mu held.
func (d *Dispatcher) prepare(request *rpcpb.Request) (*handling, error) {
	if d.handlers[request.GetId()] != nil {
		return nil, status.Errorf(codes.InvalidArgument, "rpc: request %d is running already", request.GetId())
	}
	timeout := request.GetTimeout()
	if timeout != nil && timeout.CheckValid() != nil {
		return nil, status.Errorf(codes.InvalidArgument, "rpc: the request's timeout: %v", timeout.CheckValid())
	}
	run, err := d.registry.begin(request.GetPayload())
	if err != nil {
		return nil, err
	}
	started := &handling{request: request, run: run}
	if timeout == nil {
		started.ctx, started.cancel = context.WithCancel(d.ctx)
	} else {
		started.ctx, started.cancel = context.WithTimeout(d.ctx, timeout.AsDuration())
	}
	d.handlers[request.GetId()] = started
	return started, nil
}

// handle calls the handler and responds, unless the request has been cancelled. Its deferred function also runs when
// the handler panics, or ends its goroutine as runtime.Goexit does.
func (d *Dispatcher) handle(started *handling) {
	var response *rpcpb.Response
	defer func() {
		name := string(started.request.GetPayload().MessageName())
		if value := recover(); value != nil {
			d.registry.panicked(name, value, debug.Stack())
		}
		if response == nil {
			response = failure(started.request.GetId(), status.Errorf(codes.Internal, "rpc: the handler of %s panicked", name))
		}
		d.registry.finish() // before the caller hears of it, who may call again at once
		if d.finish(started) {
			d.respond(response)
		}
		select {
		case <-d.slots:
		default: // it got none, since the dispatcher is being stopped
		}
		d.active.Done()
	}()
	payload, err := started.run(started.ctx, started.request.GetPayload().GetValue())
	if err != nil {
		response = failure(started.request.GetId(), err)
	} else {
		response = &rpcpb.Response{Id: started.request.GetId(), Outcome: &rpcpb.Response_Payload{Payload: payload}}
	}
}

// respond hands a response to whoever reads Chan, unless the dispatcher is stopped first.
func (d *Dispatcher) respond(response *rpcpb.Response) {
	select {
	case d.responses <- response:
	case <-d.ctx.Done():
	}
}

// cancelRequest cancels the handler of a request and forgets it. Its answer is not awaited any more.
func (d *Dispatcher) cancelRequest(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if running := d.handlers[id]; running != nil {
		delete(d.handlers, id)
		running.cancel()
	}
}

// finish forgets a handler that has returned. It returns false if its request was cancelled before.
func (d *Dispatcher) finish(returned *handling) bool {
	returned.cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	id := returned.request.GetId()
	if d.handlers[id] != returned { // the id may have been used again since
		return false
	}
	delete(d.handlers, id)
	return true
}

// failure is the response that carries an error. Its message can be sent, whatever a handler has quoted in it.
func failure(id uint64, err error) *rpcpb.Response {
	failed := statusOf(err).Proto()
	failed.Message = strings.ToValidUTF8(failed.GetMessage(), string(unicode.ReplacementChar))
	return &rpcpb.Response{Id: id, Outcome: &rpcpb.Response_Error{Error: failed}}
}
