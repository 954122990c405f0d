package keepalive

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMistakesOfAServerEndTheClient(t *testing.T) {
	rows := map[string]turn{
		"KeepAlive as an answer": {"82 00 07", ErrOutOfTurn},
		"Done as an answer":      {"81 02", ErrOutOfTurn},
		"another cookie":         {"82 01 08", ErrCookie},
		"two answers":            {"82 01 07 82 01 07", ErrOutOfTurn},
		"Done after the answer":  {"82 01 07 81 02", ErrOutOfTurn},
		"rubbish after it":       {"82 01 07 00", ErrMalformed},
	}
	addMistakes(rows)
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, conn := newPeer(t)
				client := NewClient(conn, &Config{Cookie: 7})
				client.Start()
				assert.Equal(t, NewMsgKeepAlive(7), peer.receive())
				_, _ = peer.conn.Write(unhex(t, row.bytes)) // the client may close in the middle of it
				<-client.Done()
				require.ErrorIs(t, client.Err(), row.want)
				peer.wantEnd()
			})
		})
	}
}

func TestMistakesOfAClientEndTheServer(t *testing.T) {
	rows := map[string]turn{
		"an answer":            {"82 01 07", ErrOutOfTurn},
		"a mistake after Done": {"81 02 00", nil}, // Done is the end
	}
	addMistakes(rows)
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, conn := newPeer(t)
				server := NewServer(conn, nil)
				server.Start()
				_, _ = peer.conn.Write(unhex(t, row.bytes))
				<-server.Done()
				require.ErrorIs(t, server.Err(), row.want)
				peer.wantEnd()
			})
		})
	}
}

// turn is the bytes that one side sends, and the error that the other side ends with.
type turn struct {
	bytes string
	want  error
}

// addMistakes adds the messages that are wrong in themselves.
func addMistakes(rows map[string]turn) {
	for name, row := range mistakes {
		rows[name] = turn{row.bytes, row.want}
	}
}

func TestACookieErrorHasBothCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		client := NewClient(conn, &Config{Cookie: 7})
		client.Start()
		peer.receive()
		peer.send("82 01 08")
		<-client.Done()
		assert.Equal(t, &CookieError{Sent: 7, Received: 8}, client.Err())
		assert.NotErrorIs(t, client.Err(), ErrProtocol)
		assert.EqualError(t, client.Err(), "keepalive: sent cookie 7, and the answer has 8")
	})
}

func TestAMistakeIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		server := NewServer(conn, nil)
		server.Start()
		peer.send("82 01 07")
		<-server.Done()
		assert.EqualError(t, server.Err(), "keepalive: message out of turn: message type 1 in state Client")
	})
}

func TestAConnectionThatEndsIsAnError(t *testing.T) {
	for name, row := range map[string]struct {
		bytes string
		want  error
	}{
		"between messages": {"", io.EOF},
		"within a message": {"82 00", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, conn := newPeer(t)
				server := NewServer(conn, nil)
				server.Start()
				peer.send(row.bytes)
				peer.conn.Close()
				<-server.Done()
				require.ErrorIs(t, server.Err(), row.want)
				assert.ErrorContains(t, server.Err(), "connection lost in state Client")

				peer, conn = newPeer(t)
				client := NewClient(conn, nil)
				client.Start()
				peer.receive()
				peer.send(row.bytes)
				peer.conn.Close()
				<-client.Done()
				require.ErrorIs(t, client.Err(), row.want)
				assert.ErrorContains(t, client.Err(), "connection lost in state Server")
			})
		})
	}
}

func TestTheClientNoticesAnEndWhileItHasAgency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		client := NewClient(conn, nil)
		began := time.Now()
		client.Start()
		peer.receive()
		peer.send("82 01 00")
		peer.conn.Close()
		<-client.Done()
		assert.Zero(t, time.Since(began), "noticed late")
		require.ErrorIs(t, client.Err(), io.EOF)
	})
}

func TestErrorsOfCallbacksEndTheProtocol(t *testing.T) {
	broken := errors.New("broken")
	fail := func(CallbackContext, uint16) error { return broken }
	for name, row := range map[string]struct {
		server, client Config
		stop           bool
	}{
		"KeepAliveFunc":         {server: Config{KeepAliveFunc: fail}},
		"KeepAliveResponseFunc": {client: Config{KeepAliveResponseFunc: fail}},
		"DoneFunc":              {server: Config{DoneFunc: func(CallbackContext) error { return broken }}, stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				client, server := NewClient(here, &row.client), NewServer(there, &row.server)
				server.Start()
				client.Start()
				synctest.Wait()
				if row.stop {
					client.Stop()
				}
				<-client.Done()
				<-server.Done()
				if row.client.KeepAliveResponseFunc != nil {
					require.ErrorIs(t, client.Err(), broken)
				} else {
					require.ErrorIs(t, server.Err(), broken)
				}
			})
		})
	}
}
