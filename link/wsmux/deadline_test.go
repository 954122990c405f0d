package wsmux_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/wsmux"
)

// call is a Read or a Write that blocks, since the other side of a bubble does neither.
type call struct {
	do          func(net.Conn) error
	setDeadline func(net.Conn, time.Time) error
}

var calls = map[string]call{
	"Read": {
		func(conn net.Conn) error { _, err := conn.Read(make([]byte, 1)); return err },
		net.Conn.SetReadDeadline,
	},
	"Write": {
		func(conn net.Conn) error { _, err := conn.Write(make([]byte, 100_000)); return err },
		net.Conn.SetWriteDeadline,
	},
	"Read, both deadlines": {
		func(conn net.Conn) error { _, err := conn.Read(make([]byte, 1)); return err },
		net.Conn.SetDeadline,
	},
}

// eachCall runs a test in a bubble for each call.
func eachCall(t *testing.T, test func(t *testing.T, c call, conn net.Conn, other *websocket.Conn)) {
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) { test(t, c, conn, other) })
		})
	}
}

func assertTimeout(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	assert.True(t, netErr.Timeout())
}

// assertWorks sends bytes both ways.
func assertWorks(t *testing.T, conn net.Conn, other *websocket.Conn) {
	t.Helper()
	sent := inBackground(func() error { return other.WriteMessage(websocket.BinaryMessage, []byte("there")) })
	assert.Equal(t, "there", readFull(t, conn, 5))
	require.NoError(t, <-sent)
	sent = inBackground(func() error { _, err := io.WriteString(conn, "back"); return err })
	_, message, err := other.ReadMessage()
	require.NoError(t, err)
	assert.Equal(t, "back", string(message))
	require.NoError(t, <-sent)
}

func assertBroken(t *testing.T, conn net.Conn) {
	t.Helper()
	for range 3 {
		for name, c := range calls {
			err := c.do(conn)
			require.ErrorIs(t, err, wsmux.ErrBroken, name)
			var netErr net.Error
			assert.False(t, errors.As(err, &netErr) && netErr.Timeout(), "who tries again after a timeout would do so for ever")
			require.ErrorIs(t, c.setDeadline(conn, time.Time{}), wsmux.ErrBroken, name)
		}
	}
	assert.NoError(t, conn.Close())
}

func TestADeadlineThatHasPassedBeforeTheCallHarmsNothing(t *testing.T) {
	eachCall(t, func(t *testing.T, c call, conn net.Conn, other *websocket.Conn) {
		for range 3 {
			require.NoError(t, c.setDeadline(conn, time.Now()))
			assertTimeout(t, c.do(conn))
			assertTimeout(t, c.do(conn))
			require.NoError(t, c.setDeadline(conn, time.Now().Add(time.Minute)))
			assertWorks(t, conn, other)
			time.Sleep(2 * time.Minute) // it passes between two calls
			assertTimeout(t, c.do(conn))
			require.NoError(t, c.setDeadline(conn, time.Time{}))
			assertWorks(t, conn, other)
		}
	})
}

func TestADeadlineThatPassesWithinACallEndsTheConnection(t *testing.T) {
	eachCall(t, func(t *testing.T, c call, conn net.Conn, other *websocket.Conn) {
		start := time.Now()
		require.NoError(t, c.setDeadline(conn, start.Add(time.Minute)))
		assertTimeout(t, c.do(conn))
		assert.Equal(t, time.Minute, time.Since(start))
		assertBroken(t, conn)
		_, _, err := other.ReadMessage()
		assert.Error(t, err, "the other side learns of it")
	})
}

func TestADeadlineCanBeMovedWithinACall(t *testing.T) {
	moves := map[string]struct{ first, moved, want time.Duration }{
		"to the past": {time.Hour, -time.Hour, time.Second},
		"to now":      {time.Hour, 0, time.Second},
		"nearer":      {time.Hour, time.Minute, time.Second + time.Minute},
		"farther":     {time.Minute, time.Hour, time.Second + time.Hour},
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			eachCall(t, func(t *testing.T, c call, conn net.Conn, _ *websocket.Conn) {
				start := time.Now()
				require.NoError(t, c.setDeadline(conn, start.Add(move.first)))
				result := inBackground(func() error { return c.do(conn) })
				time.Sleep(time.Second)
				require.NoError(t, c.setDeadline(conn, time.Now().Add(move.moved)))
				assertTimeout(t, <-result)
				assert.Equal(t, move.want, time.Since(start))
				assertBroken(t, conn)
			})
		})
	}
	t.Run("away", func(t *testing.T) {
		inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			result := inBackground(func() string { return readFull(t, conn, 4) })
			synctest.Wait()
			require.NoError(t, conn.SetReadDeadline(time.Time{}))
			time.Sleep(time.Hour)
			require.NoError(t, other.WriteMessage(websocket.BinaryMessage, []byte("late")))
			assert.Equal(t, "late", <-result)
		})
	})
}

// The old deadline passes in the moment in which it is replaced. Whichever comes first counts.
func TestADeadlineThatWasReplacedDoesNotPass(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			dialled, accepted := pipeSockets(t)
			conn := wsmux.WrapConn(dialled)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			result := inBackground(func() error { return calls["Read"].do(conn) })
			time.Sleep(time.Minute)
			if err := conn.SetReadDeadline(time.Now().Add(time.Hour)); err == nil {
				synctest.Wait()
				assert.Empty(t, result, "Read ended by a deadline that was replaced")
			} else {
				require.ErrorIs(t, err, wsmux.ErrBroken)
			}
			_ = accepted.Close()
			require.Error(t, <-result)
			_ = conn.Close()
		})
	}
}

func TestADeadlineIsForItsDirection(t *testing.T) {
	t.Run("before a call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
			require.NoError(t, conn.SetReadDeadline(time.Now()))
			sent := inBackground(func() error { _, err := io.WriteString(conn, "out"); return err })
			_, _, err := other.ReadMessage()
			require.NoError(t, err)
			require.NoError(t, <-sent)
			require.NoError(t, conn.SetReadDeadline(time.Time{}))
			require.NoError(t, conn.SetWriteDeadline(time.Now()))
			sent = inBackground(func() error { return other.WriteMessage(websocket.BinaryMessage, []byte("in")) })
			assert.Equal(t, "in", readFull(t, conn, 2))
			require.NoError(t, <-sent)
		})
	})
	// There is no more to be had from the other direction, too.
	t.Run("within a call", func(t *testing.T) {
		inBubble(t, func(t *testing.T, conn net.Conn, _ *websocket.Conn) {
			read := inBackground(func() error { return calls["Read"].do(conn) })
			write := inBackground(func() error { return calls["Write"].do(conn) })
			synctest.Wait()
			require.NoError(t, conn.SetWriteDeadline(time.Now()))
			assertTimeout(t, <-write)
			require.ErrorIs(t, <-read, wsmux.ErrBroken)
		})
	})
}

func TestADeadlineEndsTheCallsThatWaitForOthers(t *testing.T) {
	eachCall(t, func(t *testing.T, c call, conn net.Conn, _ *websocket.Conn) {
		require.NoError(t, c.setDeadline(conn, time.Now().Add(time.Minute)))
		results := make(chan error)
		for range 3 {
			go func() { results <- c.do(conn) }()
		}
		for range 3 {
			assertTimeout(t, <-results)
		}
		assertBroken(t, conn)
	})
}

// Under TLS, to close a connection means to write first. A deadline must not wait for that when a Write is blocked.
func TestADeadlinePassesUnderTLS(t *testing.T) {
	conns := make(chan *websocket.Conn, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			conns <- conn
		}
	}))
	defer server.Close()
	dialer := websocket.Dialer{TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}
	dialled, _, err := dialer.Dial(strings.Replace(server.URL, "https", "wss", 1), nil)
	require.NoError(t, err)
	defer func() { _ = dialled.Close() }()
	accepted := get(t, conns)
	defer func() { _ = accepted.Close() }()
	require.IsType(t, (*tls.Conn)(nil), dialled.NetConn())

	conn := wsmux.WrapConn(dialled)
	for conn.SetWriteDeadline(time.Time{}) == nil { // until it passes within a Write, not between two
		var written atomic.Int64
		result := inBackground(func() error { return flood(conn, &written) })
		awaitStandstill(t, &written)
		require.NoError(t, conn.SetWriteDeadline(time.Now()))
		assertTimeout(t, get(t, result))
	}
	assertBroken(t, conn)
}
