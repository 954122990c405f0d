// Package keepalive is the keep-alive mini-protocol of the Ouroboros network (node-to-node, protocol 8): ping and pong
// with a cookie. It tells both ends of a connection that the other end is alive, and the client how far away it is.
//
// # The problem
//
// A TCP connection whose line is cut says nothing: a reader waits for ever, and a writer learns of it minutes later. TCP's
// own keepalives end at the next proxy, and don't show that the program behind it still answers. So the two programs ask
// each other, within the connection.
//
// # The protocol
//
// The client asks, the server answers. Each state has one side that may send (it has agency), and a longest time that the
// other side waits for it:
//
//	                 KeepAlive
//	  +--------+ --------------------> +--------+
//	  | Client |                       | Server |
//	  +--------+ <-------------------- +--------+
//	      |        KeepAliveResponse
//	      | Done
//	      v
//	  +--------+
//	  |  Done  |
//	  +--------+
//
//	state       agency   the other side waits   messages, and the state they lead to
//	1 Client    client   60 s (ClientTimeout)   KeepAlive to Server, Done to Done
//	2 Server    server   10 s (ServerTimeout)   KeepAliveResponse to Client
//	3 Done      nobody   -                      none
//
// A message is a CBOR array of definite length, without tags; the cookie is an unsigned integer below 65536, and the answer
// has the cookie of its question:
//
//	KeepAlive           [0, cookie]   82 00 19 03e7   for the cookie 999
//	KeepAliveResponse   [1, cookie]   82 01 19 03e7
//	Done                [2]           81 02
//
// Messages go out in canonical CBOR; integers that are longer than they need to be are read, too. A message has at most 64
// bytes ([MaxMessageSize]), and may come in any pieces.
//
// The client sends its first KeepAlive at once, so that the round trip is known at once. The period counts from one
// KeepAlive to the next. A period that is not shorter than the 60 s that a server waits would race with that limit; then
// a KeepAlive is sent a tenth of the limit before it, every 54 s. That is so by default, as [DefaultKeepAlivePeriod] is 60 s.
//
// # Use
//
// [NewClient] and [NewServer] run one role over any connection, which they own: it is closed at the end. Close has to end a
// Read and a Write that are under way, as it does for a net.Conn and an io.Pipe. A Read may also be left to SetReadDeadline, as
// a yamux stream leaves it. [Segments] splits a connection, so that
// both roles run over it, in the framing that Cardano nodes use; [New] starts with the pair.
//
// Done is closed when the protocol has ended and its goroutines, too. Err then says why: nil after Stop, or after the
// client's Done; else an error that matches [ErrTimeout], [ErrCookie] or [ErrProtocol], an error of the connection, or one that a callback returned.
package keepalive
