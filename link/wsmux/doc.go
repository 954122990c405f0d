// Package wsmux runs gRPC, and other streams beside it, over one WebSocket.
//
// A WebSocket gets through where nothing else does: it is dialled from inside, over the port of HTTPS, and proxies and load
// balancers know it. But it is one sequence of messages. Two programs that want to call each other over it, or that send
// something big next to something small, need many independent streams, and a protocol for calls. Here they are yamux and
// gRPC:
//
//	the server's functions     the client's calls
//	      grpc.Server             grpc.ClientConn        calls: HTTP/2 over one stream of yamux
//	           |                         |
//	     yamux.Session <---------> yamux.Session         streams, each with a window; ping and pong
//	           |                         |
//	        net.Conn     <--->        net.Conn           bytes: WrapConn
//	           |                         |
//	    websocket.Conn   <===>   websocket.Conn          binary messages, which a proxy passes on
//
// Each layer is of use alone. [WrapConn] makes a net.Conn of a WebSocket: the bytes of binary messages, whose ends mean
// nothing. [ServeGRPC] and [DialGRPC] build the whole stack on either end. Which end has dialled the WebSocket does not
// matter: behind NAT the gRPC server is often the end that dials.
//
// Both return the yamux session, for streams that are not gRPC. Every stream that the client opens is served as gRPC. The
// server opens streams with session.Open, and the client accepts them with session.Accept:
//
//	server.Open() ---- SYN ----> client.Accept()         any protocol
//	server        <--- SYN ----- the ClientConn          HTTP/2
//
// # The end of the stack
//
// GracefulStop and Stop of the server, Close of either session and the end of the WebSocket each take everything down, on
// both ends, and leave no goroutine. A line that is silently lost is found out by yamux, which pings each 30 s and waits 10 s
// for the answer, if not configured otherwise ([WithYamuxConfig]). Every call in flight then ends with codes.Unavailable, a
// wait-for-ready call too, and the ClientConn is closed: a new WebSocket takes a new DialGRPC. To close the ClientConn ends
// only its calls; the session lives on for other streams.
//
// # Backpressure
//
// A reader that is slow stops its writer: after the window of its stream (256 KiB in yamux.DefaultConfig), not after the
// memory of either end is used up. A message of gRPC is cut into frames, and those of other calls go between them, so a small
// call waits for a window of a big one's bytes at most. [WithLimits] bounds how many streams the other side may open, and how
// fast it may send; without it, a hostile one can open any number.
package wsmux
