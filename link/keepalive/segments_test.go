package keepalive

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBothRolesAtBothEndsOfOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		var answersOfA, answersOfB atomic.Int32
		end := func(answers *atomic.Int32, conn io.ReadWriteCloser, initiator bool, cookie uint16) *KeepAlive {
			asClient, asServer := Segments(conn, initiator)
			return New(asClient, asServer, ptr(NewConfig(WithPeriod(20*time.Second), WithCookie(cookie),
				WithKeepAliveResponseFunc(func(_ CallbackContext, got uint16) error {
					assert.Equal(t, cookie, got)
					answers.Add(1)
					return nil
				}))))
		}
		a, b := end(&answersOfA, here, true, 1), end(&answersOfB, there, false, 2)
		for _, role := range []role{a.Client, a.Server, b.Client, b.Server} {
			role.Start()
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		assert.Equal(t, []int32{4, 4}, []int32{answersOfA.Load(), answersOfB.Load()})

		// One direction ends, the other goes on.
		a.Client.Stop()
		<-a.Client.Done()
		<-b.Server.Done()
		time.Sleep(60 * time.Second)
		synctest.Wait()
		assert.Equal(t, []int32{4, 7}, []int32{answersOfA.Load(), answersOfB.Load()})

		b.Client.Stop()
		for _, role := range []role{a.Client, a.Server, b.Client, b.Server} {
			<-role.Done()
			assert.NoError(t, role.Err())
		}
		_, err := here.Write([]byte{0})
		assert.ErrorIs(t, err, io.ErrClosedPipe, "the connection was not closed")
	})
}

func TestTheBytesOfASegment(t *testing.T) {
	for name, row := range map[string]struct {
		initiator, client bool
		want              string
	}{
		"client of the initiator": {true, true, "0008 0005 82 00 19 03e7"},
		"server of the initiator": {true, false, "8008 0005 82 00 19 03e7"},
		"client of the responder": {false, true, "0008 0005 82 00 19 03e7"},
		"server of the responder": {false, false, "8008 0005 82 00 19 03e7"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				side, other := Segments(here, row.initiator)
				if !row.client {
					side, other = other, side
				}
				time.Sleep(1500 * time.Microsecond)
				go func() {
					_, err := side.Write(unhex(t, "82 00 19 03e7"))
					assert.NoError(t, err)
				}()
				got := make([]byte, 13)
				_, err := io.ReadFull(there, got)
				require.NoError(t, err)
				assert.Equal(t, uint32(1500), binary.BigEndian.Uint32(got), "the time, in microseconds")
				assert.Equal(t, unhex(t, row.want), got[4:])
				require.NoError(t, side.Close())
				require.NoError(t, other.Close())
			})
		})
	}
}

func TestAMessageMaySpanSegmentsAndASegmentHaveMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		client, server := Segments(here, false)
		go there.Write(unhex(t, "00000000 0008 0001 82"+"00000000 0008 0000"+"00000000 8008 0002 8102"+"00000000 0008 0007 0007 82 00 08 81 02"))
		synctest.Wait()
		got, err := (&reader{source: client}).next()
		require.NoError(t, err)
		assert.Equal(t, NewMsgDone(), got)
		messages := reader{source: server}
		for _, want := range []Message{NewMsgKeepAlive(7), NewMsgKeepAlive(8), NewMsgDone()} {
			got, err := messages.next()
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		client.Close()
		server.Close()
	})
}

func TestALongWriteIsManySegments(t *testing.T) {
	here, there := net.Pipe()
	client, server := Segments(here, true)
	sent := bytes.Repeat([]byte{1, 2, 3}, 50_000)
	go func() {
		n, err := client.Write(sent)
		assert.NoError(t, err)
		assert.Equal(t, len(sent), n)
		client.Close()
		server.Close()
	}()
	var got []byte
	var lengths []int
	for {
		header := make([]byte, 8)
		if _, err := io.ReadFull(there, header); err == io.EOF {
			break
		}
		payload := make([]byte, binary.BigEndian.Uint16(header[6:]))
		_, err := io.ReadFull(there, payload)
		require.NoError(t, err)
		got, lengths = append(got, payload...), append(lengths, len(payload))
	}
	assert.True(t, bytes.Equal(sent, got))
	assert.Equal(t, []int{65535, 65535, 18930}, lengths)
}

func TestMistakesInSegmentsEndBothSides(t *testing.T) {
	for name, row := range map[string]struct {
		bytes string
		want  error
	}{
		"another protocol":             {"00000000 0002 0001 00", ErrSegment},
		"another protocol's responder": {"00000000 8000 0001 00", ErrSegment},
		"a payload that is too long":   {"00000000 0008 0501", ErrSegment},
		"too much ahead":               {strings.Repeat("00000000 0008 0280"+strings.Repeat("00", 640), 3), ErrSegment},
		"the end within a header":      {"00000000 0008", io.ErrUnexpectedEOF},
		"the end before a payload":     {"00000000 0008 0001", io.ErrUnexpectedEOF},
		"the end within a payload":     {"00000000 0008 0002 82", io.ErrUnexpectedEOF},
		"the end between two segments": {"", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			client, server := Segments(here, true)
			go func() {
				_, _ = there.Write(unhex(t, row.bytes)) // the other end may close in the middle of it
				there.Close()
			}()
			for _, side := range []io.ReadWriteCloser{client, server} {
				_, err := io.Copy(io.Discard, side)
				if row.want == io.EOF {
					assert.NoError(t, err) // as io.Copy has it
				} else {
					assert.ErrorIs(t, err, row.want)
				}
			}
			client.Close()
			server.Close()
		})
	}
}

func TestASegmentErrorNamesTheOtherEnd(t *testing.T) {
	for initiator, want := range map[bool]string{true: "the responder sent", false: "the initiator sent"} {
		here, there := net.Pipe()
		client, server := Segments(here, initiator)
		_, err := there.Write(unhex(t, "00000000 0002 0000"))
		require.NoError(t, err)
		_, err = client.Read(make([]byte, 1))
		assert.ErrorContains(t, err, want)
		client.Close()
		server.Close()
	}
}

func TestAClosedSideDropsWhatComesAndTheOtherGoesOn(t *testing.T) {
	here, there := net.Pipe()
	client, server := Segments(here, true)
	require.NoError(t, client.Close())
	require.NoError(t, client.Close())
	_, err := there.Write(unhex(t, strings.Repeat("00000000 8008 0280"+strings.Repeat("00", 640), 3)+"00000000 0008 0002 8102"))
	require.NoError(t, err)
	got, err := (&reader{source: server}).next()
	require.NoError(t, err)
	assert.Equal(t, NewMsgDone(), got)
	_, err = client.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrClosed)
	_, err = client.Write([]byte{0})
	assert.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, server.Close())
	_, err = there.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
}

func TestCloseEndsAReadAndAWaitingWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		client, server := Segments(here, true)
		results := make(chan error, 3)
		go func() { _, err := client.Write([]byte{0}); results <- err }()
		synctest.Wait() // there does not read: this Write lasts
		go func() { _, err := server.Write([]byte{0}); results <- err }()
		go func() { _, err := server.Read([]byte{0}); results <- err }()
		synctest.Wait()
		require.NoError(t, server.Close())
		assert.ErrorIs(t, <-results, os.ErrClosed)
		assert.ErrorIs(t, <-results, os.ErrClosed)

		// Closed in the middle of a segment, the connection is of no use to any side.
		require.NoError(t, client.Close())
		assert.ErrorIs(t, <-results, io.ErrClosedPipe)
		there.Close()
	})
}

func TestASideClosedWithinASegmentClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		client, server := Segments(here, true)
		result := make(chan error)
		go func() { _, err := client.Write([]byte{0}); result <- err }()
		synctest.Wait()
		require.NoError(t, client.Close())
		assert.ErrorIs(t, <-result, io.ErrClosedPipe)
		_, err := server.Read([]byte{0})
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		server.Close()
		there.Close()
	})
}
