package keepalive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// doneWriteTimeout bounds the time that Stop spends on sending Done to a server that does not read.
const doneWriteTimeout = time.Second

// errStopped ends a role because Stop was called. Err does not show it.
var errStopped = errors.New("keepalive: stopped")

// protocol is the part that the two roles have in common: a connection, its reader, and how it all starts and ends.
type protocol struct {
	conn     io.ReadWriteCloser
	cfg      Config
	incoming chan incoming // the messages, and at last the error that ended the reader

	ctx    context.Context // ended by Stop
	stop   context.CancelFunc
	start  sync.Once
	closed sync.Once
	done   chan struct{}
	err    error // set before done is closed
}

type incoming struct {
	message Message
	err     error
}

func newProtocol(conn io.ReadWriteCloser, cfg *Config) *protocol {
	p := &protocol{conn: conn, cfg: cfg.withDefaults(), incoming: make(chan incoming), done: make(chan struct{})}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// run starts the role, whose own goroutine is the function, once.
func (p *protocol) run(role func() error) {
	p.start.Do(func() {
		go func() {
			defer close(p.done)
			over, reading := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(reading)
				p.read(over)
			}()
			if err := role(); !errors.Is(err, errStopped) {
				p.err = err
			}
			p.stop()
			close(over)
			p.close()
			<-reading
		}()
	})
}

// end asks the role to end. One that was never started ends here.
func (p *protocol) end() {
	p.stop()
	p.start.Do(func() {
		p.close()
		close(p.done)
	})
}

func (p *protocol) ended() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// close closes the connection. Its error is of no use: the role has ended already.
func (p *protocol) close() {
	p.closed.Do(func() {
		_ = p.conn.Close()
		if conn, ok := p.conn.(interface{ SetReadDeadline(time.Time) error }); ok {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // a Read of a yamux stream goes on after Close, until the other side closes, too
		}
	})
}

func (p *protocol) read(over <-chan struct{}) {
	messages := reader{source: p.conn}
	for {
		message, err := messages.next()
		select {
		case p.incoming <- incoming{message, err}:
		case <-over:
			return
		}
		if err != nil {
			return
		}
	}
}

// receive waits for the message that the other side may send in a state, and returns the state that it leads to.
func (p *protocol) receive(state State, limit time.Duration, timeout <-chan time.Time) (Message, State, error) {
	select {
	case in := <-p.incoming:
		next, err := transition(state, in)
		return in.message, next, err
	case <-timeout:
		return nil, 0, &TimeoutError{State: state, Limit: limit}
	case <-p.ctx.Done():
		return nil, 0, errStopped
	}
}

// transition looks up the state that a message of the side that has agency leads to.
func transition(state State, in incoming) (State, error) {
	if in.err != nil {
		return 0, lost(state, in.err)
	}
	next, ok := StateMap[state].Transitions[in.message.Type()]
	if !ok {
		return 0, mistake(ErrOutOfTurn, "message type %d in state %v", in.message.Type(), state)
	}
	return next, nil
}

// lost tells in which state the connection ended. A mistake of the protocol says enough itself.
func lost(state State, err error) error {
	if errors.Is(err, ErrProtocol) {
		return err
	}
	return fmt.Errorf("keepalive: connection lost in state %v: %w", state, err)
}

// write sends a message. The connection is closed when that takes longer than the limit, or when giveUp ends first.
func (p *protocol) write(giveUp context.Context, state State, limit time.Duration, message Message) error {
	data, err := message.MarshalCBOR()
	if err != nil {
		return err
	}
	timer := time.AfterFunc(limit, p.close)
	release := context.AfterFunc(giveUp, p.close)
	_, err = p.conn.Write(data)
	switch inTime, wanted := timer.Stop(), release(); {
	case !wanted:
		return errStopped
	case !inTime:
		return &TimeoutError{State: state, Limit: limit}
	case err != nil:
		return lost(state, err)
	}
	return nil
}
