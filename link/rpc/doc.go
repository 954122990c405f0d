// Package rpc lets a server call functions of its clients.
//
// # The problem
//
// A worker behind NAT, proxies and load balancers can't be called: nobody can open a connection to it. It can call the
// server, though. So each client opens one bidirectional gRPC stream to the server and keeps it open, and calls travel in
// it in the other direction: the server sends requests, the client answers.
//
// # The parts
//
//	          server                              client
//
//	callers --> Clients                         Dispatcher --> handlers
//	               ^                                ^
//	               | commands, responses            | commands, responses
//	               v                                v
//	          StreamServer <====== stream ======> StreamClient
//
// On the server [Clients] knows who is connected, and [Call] and [CallAll] call one client or all of them. On the client
// a [HandlerRegistry] has one function for each type of request, and a [Dispatcher] runs them. [StreamServer] and
// [StreamClient] carry both over the gRPC service Coordinator. Another transport can take their place: on the server it
// uses [Clients.Join], on the client [HandlerRegistry.StartDispatcher].
//
// # The protocol
//
//	client                                        server
//	  | Hello{name: "worker-1", next_id: 1}         |
//	  |-------------------------------------------->|  authorized, joined under its name
//	  |                            response headers |
//	  |<--------------------------------------------|
//	  |       Request{id: 1, timeout: 5s, payload}  |  Call
//	  |<--------------------------------------------|
//	  | Response{id: 1, payload}                    |
//	  |-------------------------------------------->|  Call returns
//	  |                  Request{id: 2, payload}    |  Call
//	  |<--------------------------------------------|
//	  |                            cancel_id: 2     |  its caller gave up
//	  |<--------------------------------------------|  the context of the handler ends
//
// A request's type chooses the function, as a path does in HTTP. Requests of one client are answered in any order. A
// client that reconnects says from which id on requests may be numbered, so that nothing late is mistaken for an answer.
//
// # Who waits for whom
//
// The caller's context decides how long a call lasts; there is no other time limit. Its deadline reaches the handler as a
// duration, so clocks need not agree, and a caller that gives up cancels the handler. A client that does not read holds
// up its own callers alone. A name belongs to the connection that joined last: an older one under the same name is
// closed, and its calls fail.
//
// # Errors
//
// Every error has a gRPC status code, which [google.golang.org/grpc/status.Code] returns. An error of the handler reaches
// the caller with its code, message and details. Those of this package are:
//
//   - Unavailable: the client is not connected ([ErrNotConnected]), or its connection ended before the answer
//     ([ErrDisconnected]); the function may have run.
//   - DeadlineExceeded, Canceled: the caller's context ended. They also match context.DeadlineExceeded and
//     context.Canceled.
//   - Unimplemented: the client has no function for this type of request.
//   - ResourceExhausted: the client runs as many handlers as it may.
//   - InvalidArgument: the request could not be encoded or decoded, or there was none.
//   - Internal: the handler panicked, or the answer was malformed.
package rpc
