package wsmux_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachWriteIsOneBinaryMessage(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		for _, size := range []int{1, 0, 100, 5000, 200_000} {
			want := bytes.Repeat([]byte{7}, size)
			written := inBackground(func() int { n, _ := conn.Write(want); return n })
			messageType, message, err := other.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, websocket.BinaryMessage, messageType)
			assert.True(t, bytes.Equal(want, message), size)
			assert.Equal(t, size, get(t, written))
		}
	})
}

func TestWriteLeavesItsBytesAlone(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		b := bytes.Repeat([]byte("masked on the way only"), 10_000)
		want := bytes.Clone(b)
		written := inBackground(func() error { _, err := conn.Write(b); return err })
		_, _, err := other.ReadMessage()
		require.NoError(t, err)
		require.NoError(t, get(t, written))
		assert.True(t, bytes.Equal(want, b))
	})
}

func TestWriteIsSafeNextToItself(t *testing.T) {
	const writers, each = 8, 50
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		var writing sync.WaitGroup
		for i := range writers {
			writing.Go(func() {
				for range each {
					_, err := conn.Write(bytes.Repeat([]byte{byte(i)}, 10_000+i))
					assert.NoError(t, err)
				}
			})
		}
		seen := make([]int, writers)
		for range writers * each {
			_, message, err := other.ReadMessage()
			require.NoError(t, err)
			i := int(message[0])
			require.True(t, bytes.Equal(bytes.Repeat([]byte{byte(i)}, 10_000+i), message), "a message of two writers")
			seen[i]++
		}
		writing.Wait()
		for _, n := range seen {
			assert.Equal(t, each, n)
		}
	})
}

func TestWriteFailsAfterTheOtherSideHasClosed(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		require.NoError(t, other.WriteMessage(websocket.CloseMessage, nil))
		require.Error(t, readToTheEnd(conn))
		_, err := conn.Write([]byte("too late"))
		require.ErrorIs(t, err, websocket.ErrCloseSent)
		assert.ErrorContains(t, err, "wsmux: could not write to the WebSocket")
	})
}
