package wsmux_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/wsmux"
)

// The tests here are those of golang.org/x/net/nettest, as far as they apply: there, a connection must go on after a
// deadline has passed within a call.

func TestBytesArriveInOrderBothWaysAtOnce(t *testing.T) {
	const size = 8 << 20
	a, b := pair(t)
	var all sync.WaitGroup
	for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
		sent, received := sha256.New(), sha256.New()
		var both sync.WaitGroup
		both.Go(func() {
			seed := [32]byte{1}
			random := rand.NewChaCha8(seed)
			// The pieces have any size, and so have the reads.
			for rest := size; rest > 0; {
				piece := make([]byte, min(rest, 1+rand.IntN(100_000)))
				_, _ = random.Read(piece)
				sent.Write(piece)
				n, err := ends[0].Write(piece)
				assert.NoError(t, err)
				rest -= n
			}
		})
		both.Go(func() {
			for rest := size; rest > 0; {
				b := make([]byte, min(rest, 1+rand.IntN(100_000)))
				n, err := ends[1].Read(b)
				if !assert.NoError(t, err) {
					return
				}
				received.Write(b[:n])
				rest -= n
			}
		})
		all.Go(func() {
			both.Wait()
			assert.Equal(t, sent.Sum(nil), received.Sum(nil))
		})
	}
	all.Wait()
}

func TestPingPong(t *testing.T) {
	a, b := pair(t)
	echo := inBackground(func() error { _, err := io.Copy(b, b); return err })
	for i := range 1000 {
		_, err := a.Write([]byte{byte(i)})
		require.NoError(t, err)
		require.Equal(t, string([]byte{byte(i)}), readFull(t, a, 1))
	}
	require.NoError(t, a.Close())
	require.NoError(t, get(t, echo))
}

// All calls of both ends at once, at random. Each error of a call is one of those that are documented, no bytes change,
// and no call hangs.
func TestReadsWritesClosesAndDeadlinesMayRace(t *testing.T) {
	letters := []byte("abcdefgh") // each writer has its own
	for round := range 20 {
		a, b := pair(t)
		var calls sync.WaitGroup
		for _, conn := range []net.Conn{a, b} {
			for i := range 3 {
				calls.Go(func() { race(t, conn, func() error { return readLetters(conn, letters) }) })
				calls.Go(func() {
					race(t, conn, func() error {
						_, err := conn.Write(bytes.Repeat(letters[i:i+1], rand.IntN(20_000)))
						return err
					})
				})
			}
			calls.Go(func() { race(t, conn, func() error { return setSomeDeadline(conn, round) }) })
			calls.Go(func() {
				_, _ = conn.LocalAddr(), conn.RemoteAddr()
				for range rand.IntN(3000) {
					_ = setSomeDeadline(conn, 0)
				}
				assert.NoError(t, conn.Close())
			})
		}
		done := inBackground(func() error { calls.Wait(); return nil })
		require.NoError(t, get(t, done))
	}
}

// race calls until the connection ends.
func race(t *testing.T, conn net.Conn, call func() error) {
	for {
		err := call()
		switch {
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded) && !ended(conn):
		case errors.Is(err, net.ErrClosed), errors.Is(err, wsmux.ErrBroken), errors.Is(err, os.ErrDeadlineExceeded),
			errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return
		default:
			// The line itself: the other end has closed it.
			assert.ErrorContains(t, err, "wsmux: could not")
			return
		}
	}
}

// ended says whether the connection is closed or broken.
func ended(conn net.Conn) bool { return conn.SetDeadline(time.Time{}) != nil }

func readLetters(conn net.Conn, letters []byte) error {
	b := make([]byte, 1+rand.IntN(10_000))
	n, err := conn.Read(b)
	if stray := bytes.Trim(b[:n], string(letters)); len(stray) > 0 {
		return errors.New("bytes that nobody has sent")
	}
	return err
}

// setSomeDeadline sets one that has passed, one that soon passes, or none. In round 0 none will pass within a call.
func setSomeDeadline(conn net.Conn, round int) error {
	at := []time.Time{{}, time.Now().Add(time.Hour), time.Now().Add(time.Duration(rand.IntN(int(time.Millisecond)))),
		time.Now().Add(-time.Second)}
	choice := at[rand.IntN(len(at))]
	if round == 0 {
		choice = at[rand.IntN(2)]
	}
	return []func(time.Time) error{conn.SetDeadline, conn.SetReadDeadline, conn.SetWriteDeadline}[rand.IntN(3)](choice)
}
