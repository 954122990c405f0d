package wsmux_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/wsmux"
)

func TestReadHandsOutBytesBeforeTheMessageEnds(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		message, err := other.NextWriter(websocket.BinaryMessage)
		require.NoError(t, err)
		// More than the buffer of the WebSocket, so that it sends a frame; it never ends the message.
		_, err = message.Write(bytes.Repeat([]byte("x"), 64<<10))
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("x", 32<<10), readFull(t, conn, 32<<10))
	})
}

func TestAPartlyReadMessageGoesOnWithTheNextRead(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		require.NoError(t, other.WriteMessage(websocket.BinaryMessage, []byte("one message")))
		for _, part := range []string{"o", "ne mes", "sag", "e"} {
			b := make([]byte, len(part))
			n, err := conn.Read(b)
			require.NoError(t, err)
			assert.Equal(t, part, string(b[:n]))
		}
	})
}

func TestEmptyMessagesAndEndsOfMessagesAreNoEOF(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
		for _, message := range []string{"", "a", "", "", "bc", "", "d"} {
			require.NoError(t, other.WriteMessage(websocket.BinaryMessage, []byte(message)))
		}
		assert.Equal(t, "abcd", readFull(t, conn, 4))
	})
}

func TestReadOfNoBytesReturnsAtOnce(t *testing.T) {
	eachEnd(t, func(t *testing.T, conn net.Conn, _ *websocket.Conn) {
		n, err := conn.Read(nil)
		assert.Zero(t, n)
		assert.NoError(t, err)
	})
}

func TestCompressedMessagesAreRead(t *testing.T) {
	dialled, accepted := socketsThrough(t, websocket.Upgrader{EnableCompression: true},
		websocket.Dialer{EnableCompression: true}, func(url string) string { return url })
	a, b := wrap(t, dialled), wrap(t, accepted)
	text := strings.Repeat("compress me ", 10_000)
	for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
		written := inBackground(func() error { _, err := io.WriteString(ends[0], text); return err })
		assert.Equal(t, text, readFull(t, ends[1], len(text)))
		require.NoError(t, get(t, written))
	}
}

func TestTheEndOfReading(t *testing.T) {
	frame := func(code int) func(*websocket.Conn) error {
		return func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, "enough"))
		}
	}
	tests := map[string]struct {
		end     func(*websocket.Conn) error
		want    error
		message string
	}{
		"close: normal":         {frame(websocket.CloseNormalClosure), io.EOF, "EOF"},
		"close: going away":     {frame(websocket.CloseGoingAway), io.EOF, "EOF"},
		"close: internal error": {frame(websocket.CloseInternalServerErr), io.EOF, "EOF"},
		"close: no code":        {frame(websocket.CloseNoStatusReceived), io.EOF, "EOF"},
		"close: within a message": {func(ws *websocket.Conn) error {
			message, err := ws.NextWriter(websocket.BinaryMessage)
			if err != nil {
				return err
			}
			if _, err = message.Write(make([]byte, 64<<10)); err != nil {
				return err
			}
			return frame(websocket.CloseNormalClosure)(ws)
		}, io.EOF, "EOF"},
		"no close frame": {(*websocket.Conn).Close, io.ErrUnexpectedEOF,
			"wsmux: the WebSocket ended without a close frame: unexpected EOF"},
		"in the middle of a message": {func(ws *websocket.Conn) error {
			message, err := ws.NextWriter(websocket.BinaryMessage)
			if err != nil {
				return err
			}
			if _, err = message.Write(make([]byte, 64<<10)); err != nil {
				return err
			}
			return ws.Close()
		}, io.ErrUnexpectedEOF, "wsmux: the WebSocket ended without a close frame: unexpected EOF"},
		"a text message": {func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.TextMessage, []byte("hello"))
		}, wsmux.ErrTextMessage, "wsmux: got a text message; the other side must send binary messages"},
		"an empty text message": {func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.TextMessage, nil)
		}, wsmux.ErrTextMessage, "wsmux: got a text message; the other side must send binary messages"},
		"no WebSocket frame": {func(ws *websocket.Conn) error {
			_, err := ws.NetConn().Write([]byte{0xff, 0xff})
			return err
		}, nil, "wsmux: could not read from the WebSocket: websocket: RSV1 set, RSV2 set, RSV3 set"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			eachEnd(t, func(t *testing.T, conn net.Conn, other *websocket.Conn) {
				require.NoError(t, other.WriteMessage(websocket.BinaryMessage, []byte("last words")))
				require.NoError(t, test.end(other))
				assert.Equal(t, "last words", readFull(t, conn, 10))
				err := readToTheEnd(conn)
				if test.want != nil {
					require.ErrorIs(t, err, test.want)
				}
				assert.ErrorContains(t, err, test.message)
				assert.Equal(t, test.want == io.EOF, err == io.EOF, "callers compare with ==")
				// The WebSocket itself panics after a thousand.
				for range 2000 {
					_, again := conn.Read(make([]byte, 1))
					require.Equal(t, err, again)
				}
			})
		})
	}
}

// readToTheEnd returns the error that ends reading, io.EOF too.
func readToTheEnd(conn net.Conn) error {
	b := make([]byte, 64<<10)
	for {
		if _, err := conn.Read(b); err != nil {
			return err
		}
	}
}
