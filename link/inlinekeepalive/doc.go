// Package inlinekeepalive sends keepalives inside gRPC streams, so that load balancers don't cut a stream that is
// idle.
//
// # The problem
//
// gRPC keeps a connection alive by HTTP/2 pings. Some load balancers (AWS ALB is one) answer those themselves, and
// cut any stream that carries no message for a time, often 60 s. nginx and HAProxy have such timeouts, too. Then a
// stream that waits for rare events ends every minute. Only messages in the stream itself help. Interceptors on both
// ends send them and drop them; the application never sees one.
//
//	application          interceptor        load balancer        interceptor       handler
//	     |  SendMsg           |                   |                   |               |
//	     |------------------> |------------------ message ----------> |-------------> |
//	     |                    |                   |                   |               |
//	     |            (silent for 30 s)           |                   |               |
//	     |                    |----------------- keepalive ---------> X               |
//	     |                    X <--------------- keepalive -----------|    (silent for 30 s)
//	     |                    |                   |                   |               |
//	     | <----------------- | <---------------- message ------------| <-------------|
//
// # Who sends
//
//	kind of stream         client sends    server sends
//	client-streaming       yes             no: its only message is the answer
//	server-streaming       no              yes
//	bidirectional          yes             yes
//	one request, answer    untouched, as unary calls are
//
// A side sends after each [WithInterval] (30 s) in which it has sent no message itself. It never sends to a peer that
// has not said that it drops keepalives:
//
//   - The client says so in the stream's metadata: "inline-keepalives: true" ([MetadataKey]).
//   - The server says so, to such a client, in the stream's header, with the same key and value. As a connection
//     may have been redialled to an older server, each stream needs it. Also, the server must have the feature
//     ([Feature]) in the list that the call VersionInfo.GetVersionInfo returns ([RegisterVersionInfo]), or pass
//     another check ([WithFeatureCheck]). The check is made once in the life of a stream that has been silent for
//     half an interval, in the background: no stream waits for it. A check that fails is repeated an interval
//     later.
//
// The header usually goes with the handler's first message or SendHeader. A client that may send must know sooner, so
// in client-streaming and bidirectional streams an idle handler's header is sent after half an interval, and not
// before a second has passed. After that, SetHeader fails, as it always does once the header was sent. No keepalive
// goes out before the header, so within the first second there is none unless the handler has sent something. The
// announcement is added to the header when the handler first uses the stream. A handler that calls grpc.SendHeader
// before that announces nothing; stream.SendHeader does.
//
// # The message
//
// It is a protobuf message of one field, with a high number and a signature:
//
//	field 412961201, length-delimited:  8a 9b a9 a7 0c   1c   "relayconf inline keepalive 1"
//
// Any other message type does not know this field, and keeps it among its unknown fields. A message is a keepalive if
// its unknown fields are exactly these bytes and no field of its own is set. Everything else passes through
// unchanged: messages with other unknown fields, with this number and another type or text, or with this field next
// to others. Types with required fields work, too.
//
// A codec that drops unknown fields can't be used with this package: the application would see an empty message for
// each keepalive. The same goes for message types that can't hold unknown fields, such as old generated types without
// XXX_unrecognized. A codec whose name is not "proto" is noticed, and its streams have no keepalives, unless a server
// is forced to use it by grpc.ForceServerCodec.
//
// # Costs
//
// A client-streaming or bidirectional stream has one goroutine at each end, a server-streaming one at the server's
// only. It ends with the stream, however that ends: the answer, an error, a cancelled context, a closed connection.
// Nothing is sent after CloseSend. An error of sending a keepalive ends the goroutine; the stream's next SendMsg or
// RecvMsg has it, as with any message. SendMsg is never called twice at once.
package inlinekeepalive
