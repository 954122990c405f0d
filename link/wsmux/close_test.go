package wsmux_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCloseSendsACloseFrameAndClosesTheWebSocket(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		closed := inBackground(conn.Close)
		_, _, err := other.ReadMessage()
		assert.True(t, websocket.IsCloseError(err, websocket.CloseNormalClosure), err)
		require.NoError(t, get(t, closed))
		_, err = other.NetConn().Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err, "the connection below is closed")
	})
}

func TestCloseIsBoundedInTime(t *testing.T) {
	silent := func(net.Conn) {}
	blocked := func(conn net.Conn) { _, _ = conn.Write(make([]byte, 100_000)) }
	for name, before := range map[string]func(net.Conn){"nobody reads": silent, "a Write is blocked": blocked} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, conn net.Conn, _ *websocket.Conn) {
				go before(conn)
				synctest.Wait()
				start := time.Now()
				assert.NoError(t, conn.Close())
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
	t.Run("the close frame has no answer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
			other.SetCloseHandler(func(int, string) error { return nil })
			go func() { _, _, _ = other.ReadMessage() }()
			start := time.Now()
			assert.NoError(t, conn.Close())
			assert.Equal(t, time.Second, time.Since(start))
		})
	})
	t.Run("the close frame has an answer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
			go func() { _, _, _ = other.ReadMessage() }()
			start := time.Now()
			assert.NoError(t, conn.Close())
			assert.Zero(t, time.Since(start))
		})
	})
}

func TestCloseEndsBlockedCallsAndLaterOnes(t *testing.T) {
	eachCall(t, func(t *testing.T, c call, conn net.Conn, _ *websocket.Conn) {
		results := make(chan error)
		for range 3 {
			go func() { results <- c.do(conn) }()
		}
		synctest.Wait()
		require.NoError(t, conn.Close())
		for range 3 {
			require.ErrorIs(t, <-results, net.ErrClosed)
		}
		require.ErrorIs(t, c.do(conn), net.ErrClosed)
		require.ErrorIs(t, c.setDeadline(conn, time.Time{}), net.ErrClosed)
		assert.NoError(t, conn.Close(), "a second time")
	})
}

// A socket that is closed with bytes in it that were not read is reset, and the other side loses bytes on their way.
func TestCloseLosesNothingThatWasWritten(t *testing.T) {
	const size = 4 << 20
	a, b := pair(t)
	flood := inBackground(func() error {
		for {
			if _, err := b.Write(make([]byte, 10_000)); err != nil {
				return err
			}
		}
	})
	go func() {
		_, err := a.Write(make([]byte, size))
		assert.NoError(t, err)
		assert.NoError(t, a.Close())
	}()
	n, err := io.Copy(io.Discard, b)
	require.NoError(t, err)
	assert.EqualValues(t, size, n)
	require.Error(t, get(t, flood))
}

func TestBothSidesMayCloseAtOnce(t *testing.T) {
	a, b := pair(t)
	var closing sync.WaitGroup
	for _, conn := range []net.Conn{a, b, a, b} {
		closing.Go(func() { assert.NoError(t, conn.Close()) })
	}
	closing.Wait()
}

func TestCloseAfterTheLineIsLost(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		require.NoError(t, other.Close())
		require.Error(t, readToTheEnd(conn))
		assert.NoError(t, conn.Close())
	})
}

func TestPingsAreAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		pongs := make(chan string, 10)
		other.SetPongHandler(func(payload string) error { pongs <- payload; return nil })
		go func() { _ = readToTheEnd(conn) }()
		for _, payload := range []string{"first", "dropped for the next", "last"} {
			require.NoError(t, other.WriteControl(websocket.PingMessage, []byte(payload), time.Now().Add(time.Minute)))
			synctest.Wait() // the first pong is on its way; nobody reads it yet
		}
		// With the WebSocket's own handler the connection would be done after 1 s.
		time.Sleep(time.Hour)
		go func() { _, _ = io.WriteString(conn, "still here") }()
		_, message, err := other.ReadMessage()
		require.NoError(t, err)
		assert.Equal(t, "still here", string(message))
		go func() { _, _, _ = other.ReadMessage() }()
		synctest.Wait()
		require.NoError(t, conn.Close())
		close(pongs)
		var got []string
		for payload := range pongs {
			got = append(got, payload)
		}
		assert.Equal(t, []string{"first", "last"}, got)
	})
}
