package keepalive

import (
	"io"
	"time"
)

// Server answers a client.
type Server struct{ *protocol }

// NewServer returns a server that has not started. It owns the connection from now on. A cfg of nil has the defaults.
func NewServer(conn io.ReadWriteCloser, cfg *Config) *Server { return &Server{newProtocol(conn, cfg)} }

// Start answers from now on, in the background. Only the first call counts.
func (s *Server) Start() { s.run(s.converse) }

// Stop ends the protocol by closing the connection: a server has no message for it. It does not wait; Done does. It is
// safe at any time, also before Start and within a callback.
func (s *Server) Stop() { s.end() }

// Done is closed when the server has ended, with its goroutines.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns nil while the server runs, after Stop and after the client's Done, and else why it ended. The error matches
// [ErrTimeout] or [ErrProtocol], is one of a callback's, or one of the connection: io.EOF when the client closed it without Done.
func (s *Server) Err() error { return s.ended() }

func (s *Server) converse() error {
	for {
		timeout := time.NewTimer(ClientTimeout)
		message, next, err := s.receive(StateClient, ClientTimeout, timeout.C)
		timeout.Stop()
		if err != nil {
			return err
		}
		caller := CallbackContext{Server: s}
		if next == StateDone {
			if s.cfg.DoneFunc == nil {
				return nil
			}
			return s.cfg.DoneFunc(caller)
		}
		cookie := message.(*MsgKeepAlive).Cookie // the only message that leads to state Server
		if s.cfg.KeepAliveFunc != nil {
			if err := s.cfg.KeepAliveFunc(caller, cookie); err != nil {
				return err
			}
		}
		if err := s.write(s.ctx, StateServer, ServerTimeout, NewMsgKeepAliveResponse(cookie)); err != nil {
			return err
		}
	}
}
