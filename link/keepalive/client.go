package keepalive

import (
	"context"
	"io"
	"time"
)

// Client asks whether the server is alive, once in each period.
type Client struct{ *protocol }

// NewClient returns a client that has not started. It owns the connection from now on. A cfg of nil has the defaults.
func NewClient(conn io.ReadWriteCloser, cfg *Config) *Client { return &Client{newProtocol(conn, cfg)} }

// Start sends the first KeepAlive, and goes on in the background. Only the first call counts.
func (c *Client) Start() { c.run(c.converse) }

// Stop ends the protocol: with Done, when no answer is awaited, and by closing the connection at once when one is. It
// does not wait; Done does. It is safe at any time, also before Start and within a callback.
func (c *Client) Stop() { c.end() }

// Done is closed when the client has ended, with its goroutines.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns nil while the client runs and after Stop, and else why it ended. The error matches [ErrTimeout],
// [ErrCookie] or [ErrProtocol], is one of KeepAliveResponseFunc's, or one of the connection: io.EOF when the server closed it.
func (c *Client) Err() error { return c.ended() }

func (c *Client) converse() error {
	for {
		sent := time.Now()
		if err := c.ask(sent); err != nil {
			return err
		}
		if err := c.wait(sent.Add(c.cfg.sendPeriod())); err != nil {
			return err
		}
	}
}

// ask sends a KeepAlive and waits for its answer, both together for as long as an answer may take.
func (c *Client) ask(sent time.Time) error {
	limit := c.cfg.Timeout
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	if err := c.write(c.ctx, StateServer, limit, NewMsgKeepAlive(c.cfg.Cookie)); err != nil {
		return err
	}
	message, _, err := c.receive(StateServer, limit, timeout.C)
	if err != nil {
		return err
	}
	roundTrip := time.Since(sent)
	answer := message.(*MsgKeepAliveResponse) // the only message of state Server
	if answer.Cookie != c.cfg.Cookie {
		return &CookieError{Sent: c.cfg.Cookie, Received: answer.Cookie}
	}
	if c.cfg.KeepAliveResponseFunc == nil {
		return nil
	}
	return c.cfg.KeepAliveResponseFunc(CallbackContext{Client: c, RoundTrip: roundTrip}, answer.Cookie)
}

// wait waits until the next KeepAlive is due. The client has agency: Stop sends Done, and any message is a mistake.
func (c *Client) wait(due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case in := <-c.incoming:
		if in.err != nil {
			return lost(StateClient, in.err)
		}
		return mistake(ErrOutOfTurn, "message type %d from the server in state %v", in.message.Type(), StateClient)
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		// The server has nothing to answer, so an error here tells nobody anything.
		_ = c.write(context.Background(), StateClient, doneWriteTimeout, NewMsgDone())
		return errStopped
	}
}
