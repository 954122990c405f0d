package keepalive

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheTableIsTheProtocols(t *testing.T) {
	assert.Equal(t, "keep-alive", ProtocolName)
	assert.Equal(t, uint16(8), ProtocolID)
	assert.Equal(t, 60*time.Second, DefaultKeepAlivePeriod)
	assert.Equal(t, 10*time.Second, DefaultKeepAliveTimeout)
	assert.Equal(t, map[State]StateMapEntry{
		1: {AgencyClient, 60 * time.Second, map[uint8]State{0: 2, 2: 3}},
		2: {AgencyServer, 10 * time.Second, map[uint8]State{1: 1}},
		3: {AgencyNone, 0, nil},
	}, StateMap)
	assert.Equal(t, []string{"Client", "Server", "Done", "State(4)"},
		[]string{State(1).String(), State(2).String(), State(3).String(), State(4).String()})
}

func TestOptionsAndDefaults(t *testing.T) {
	assert.Equal(t, Config{Timeout: 10 * time.Second, Period: 60 * time.Second}, NewConfig())
	assert.Equal(t, Config{Timeout: 1, Period: 2, Cookie: 3}, NewConfig(WithTimeout(1), WithPeriod(2), WithCookie(3)))
	assert.Equal(t, NewConfig(), (*Config)(nil).withDefaults())
	assert.Equal(t, NewConfig(), (&Config{}).withDefaults())
	assert.Equal(t, NewConfig(), (&Config{Timeout: -1, Period: -1}).withDefaults())
}

func TestAPeriodThatWouldRaceIsATenthEarlier(t *testing.T) {
	for period, want := range map[time.Duration]time.Duration{
		20 * time.Second:   20 * time.Second,
		59 * time.Second:   59 * time.Second,
		60*time.Second - 1: 60*time.Second - 1,
		60 * time.Second:   54 * time.Second,
		24 * time.Hour:     54 * time.Second,
		time.Millisecond:   time.Millisecond,
	} {
		assert.Equal(t, want, (&Config{Period: period}).sendPeriod(), "period %v", period)
	}
}

// peer is the other end of a role's connection, which a test plays byte by byte.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   reader
}

func newPeer(t *testing.T) (*peer, net.Conn) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close() })
	return &peer{t: t, conn: here, in: reader{source: here}}, there
}

func (p *peer) send(bytes string) {
	p.t.Helper()
	_, err := p.conn.Write(unhex(p.t, bytes))
	require.NoError(p.t, err)
}

func (p *peer) receive() Message {
	p.t.Helper()
	message, err := p.in.next()
	require.NoError(p.t, err)
	return message
}

func (p *peer) wantEnd() {
	p.t.Helper()
	_, err := p.in.next()
	assert.Equal(p.t, io.EOF, err)
}

func TestAConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		began := time.Now()
		var log []string
		note := func(what string) { log = append(log, time.Since(began).String()+" "+what) }
		var client *Client
		server := NewServer(there, ptr(NewConfig(
			WithKeepAliveFunc(func(c CallbackContext, cookie uint16) error {
				assert.Nil(t, c.Client)
				assert.Zero(t, c.RoundTrip)
				assert.Equal(t, uint16(999), cookie)
				time.Sleep(300 * time.Millisecond) // so long is the round trip
				return nil
			}),
			WithDoneFunc(func(c CallbackContext) error {
				assert.NotNil(t, c.Server)
				note("done")
				return nil
			}),
		)))
		client = NewClient(here, ptr(NewConfig(WithCookie(999), WithPeriod(20*time.Second),
			WithKeepAliveResponseFunc(func(c CallbackContext, cookie uint16) error {
				assert.Same(t, client, c.Client)
				assert.Nil(t, c.Server)
				assert.Equal(t, uint16(999), cookie)
				note(c.RoundTrip.String())
				return nil
			}),
		)))
		server.Start()
		client.Start()
		client.Start() // counts once
		time.Sleep(61 * time.Second)
		assert.NoError(t, client.Err())
		client.Stop()
		client.Stop()
		<-client.Done()
		<-server.Done()
		assert.NoError(t, client.Err())
		assert.NoError(t, server.Err())
		assert.Equal(t, []string{"300ms 300ms", "20.3s 300ms", "40.3s 300ms", "1m0.3s 300ms", "1m1s done"}, log)
	})
}

func TestTheDefaultsDoNotRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		began := time.Now()
		var asked []time.Duration
		server := NewServer(there, &Config{KeepAliveFunc: func(CallbackContext, uint16) error {
			asked = append(asked, time.Since(began))
			return nil
		}})
		client := NewClient(here, nil)
		server.Start()
		client.Start()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 54 * time.Second, 108 * time.Second, 162 * time.Second, 216 * time.Second}, asked)
		assert.NoError(t, server.Err())
		client.Stop()
		<-server.Done()
		<-client.Done()
	})
}

func TestAnAnswerAfterThePeriodDelaysTheNextQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		client := NewClient(conn, ptr(NewConfig(WithPeriod(time.Second))))
		began := time.Now()
		client.Start()
		assert.Equal(t, NewMsgKeepAlive(0), peer.receive())
		time.Sleep(3 * time.Second)
		peer.send("82 01 00")
		assert.Equal(t, NewMsgKeepAlive(0), peer.receive())
		assert.Equal(t, 3*time.Second, time.Since(began))
		client.Stop()
		<-client.Done()
	})
}

func TestTheClientWaits10SecondsForAnAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		options []KeepAliveOptionFunc
		after   time.Duration // the answer comes
		want    error
		ended   time.Duration
	}{
		"a moment before the limit": {nil, 10*time.Second - 1, nil, 0},
		"a moment after the limit":  {nil, 10*time.Second + 1, ErrTimeout, 10 * time.Second},
		"another limit":             {[]KeepAliveOptionFunc{WithTimeout(time.Second)}, 2 * time.Second, ErrTimeout, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, conn := newPeer(t)
				client := NewClient(conn, ptr(NewConfig(row.options...)))
				client.Start()
				peer.receive()
				time.Sleep(row.after)
				if row.want == nil {
					peer.send("82 01 00")
					synctest.Wait()
					require.NoError(t, client.Err())
					client.Stop()
					assert.Equal(t, NewMsgDone(), peer.receive())
					<-client.Done()
					return
				}
				<-client.Done()
				require.ErrorIs(t, client.Err(), row.want)
				assert.Equal(t, &TimeoutError{State: StateServer, Limit: row.ended}, client.Err())
				assert.True(t, os.IsTimeout(client.Err()))
				peer.wantEnd()
			})
		})
	}
}

func TestTheServerWaits60SecondsForAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		server := NewServer(conn, nil)
		began := time.Now()
		server.Start()
		time.Sleep(60*time.Second - 1)
		peer.send("82 00 07")
		assert.Equal(t, NewMsgKeepAliveResponse(7), peer.receive())
		time.Sleep(30 * time.Second)
		peer.send("82") // the beginning of a message is none
		<-server.Done()
		assert.Equal(t, 2*60*time.Second-1, time.Since(began))
		assert.Equal(t, &TimeoutError{State: StateClient, Limit: 60 * time.Second}, server.Err())
		require.ErrorIs(t, server.Err(), ErrTimeout)
	})
}

func TestAPeerThatDoesNotReadIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn := newPeer(t)
		began := time.Now()
		client := NewClient(conn, nil)
		client.Start()
		<-client.Done()
		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.Equal(t, &TimeoutError{State: StateServer, Limit: 10 * time.Second}, client.Err())

		peer, conn := newPeer(t)
		began = time.Now()
		server := NewServer(conn, nil)
		server.Start()
		peer.send("82 00 07")
		<-server.Done()
		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.Equal(t, &TimeoutError{State: StateServer, Limit: 10 * time.Second}, server.Err())
	})
}

// A line that is slow in both directions has one limit for both.
func TestTheLimitOfAnAnswerCountsFromTheBeginningOfTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		began := time.Now()
		client := NewClient(conn, nil)
		client.Start()
		time.Sleep(6 * time.Second)
		peer.receive()
		<-client.Done()
		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.ErrorIs(t, client.Err(), ErrTimeout)
	})
}

func ptr[T any](value T) *T { return &value }
