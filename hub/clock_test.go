package hub_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

// The tests in this file run in the time of testing/synctest, over connections in memory.

// noKeepalives makes comments so rare that no test meets one.
var noKeepalives = hub.WithKeepalive(1_000_000 * time.Hour)

// pipes is a listener of connections in memory, and how to dial them.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.accept <- theirs
	return ours
}

// line is a connection of a relay that reads lines of a plain stream.
type line struct {
	conn   net.Conn
	reader *bufio.Reader
	status string
}

// memory is a hub that is served over connections in memory.
type memory struct {
	*hub.Hub
	pipes *pipes
}

// inMemory runs a test with a hub in the time of synctest.
func inMemory(t *testing.T, test func(t *testing.T, m *memory), options ...hub.Option) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{Hub: hub.New(options...), pipes: &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}}
		m.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
		require.NoError(t, m.SetKeys([]hub.Key{{Name: "all", Key: testKey}}))
		m.Changes(true, []autoconfig.Change{env("a", 1), env("b", 1)})
		server := &http.Server{Handler: m}
		served := make(chan error)
		go func() { served <- server.Serve(m.pipes) }()
		test(t, m)
		m.Close()
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// open opens a stream, or gets a refusal.
func (m *memory) open(t *testing.T, key, id string, headers ...string) *line {
	l := &line{conn: m.pipes.dial()}
	request := "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: " + key + "\r\n"
	if id != "" {
		request += "Last-Event-ID: " + id + "\r\n"
	}
	for _, header := range headers {
		request += header + "\r\n"
	}
	_, err := io.WriteString(l.conn, request+"\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(l.conn), nil)
	require.NoError(t, err)
	l.status = response.Status
	l.reader = bufio.NewReader(response.Body)
	return l
}

// read returns the next line that is not empty.
func (l *line) read(t *testing.T) string {
	require.NoError(t, l.conn.SetReadDeadline(time.Now().Add(time.Hour)))
	defer func() { _ = l.conn.SetReadDeadline(time.Time{}) }()
	for {
		text, err := l.reader.ReadString('\n')
		require.NoError(t, err)
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
}

// event reads an event, and returns its name and its id.
func (l *line) event(t *testing.T) (name, id string) {
	name = strings.TrimPrefix(l.read(t), "event: ")
	l.read(t)
	return name, strings.TrimPrefix(l.read(t), "id: ")
}

func TestKeepalives(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		var first []time.Duration
		for range 20 {
			l := m.open(t, testKey, "")
			l.event(t)
			start := time.Now()
			assert.Equal(t, ":", l.read(t))
			first = append(first, time.Since(start))
			before := time.Now()
			assert.Equal(t, ":", l.read(t))
			assert.Equal(t, 30*time.Second, time.Since(before))
			require.NoError(t, l.conn.Close())
		}
		spread := map[time.Duration]bool{}
		for _, d := range first {
			assert.Less(t, d, 30*time.Second)
			spread[d.Truncate(time.Second)] = true
		}
		assert.Greater(t, len(spread), 5, "relays that connect together get theirs at different moments")
	}, hub.WithKeepalive(30*time.Second))
}

// TestAnEventThatMayHaveBeenRefused is followed by a put, if its relay comes back with its id.
func TestAnEventThatMayHaveBeenRefused(t *testing.T) {
	for name, test := range map[string]struct {
		after   time.Duration // the relay ends its stream
		away    time.Duration
		resumed bool
	}{
		"at once":                  {0, time.Second, false},
		"soon":                     {9 * time.Second, time.Second, false},
		"soon, and late back":      {9 * time.Second, 4 * time.Minute, false},
		"soon, and very late back": {9 * time.Second, time.Hour, true},
		"later":                    {11 * time.Second, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, m *memory) {
				l := m.open(t, testKey, "")
				l.event(t)
				m.Changes(false, []autoconfig.Change{env("a", 2)})
				_, id := l.event(t)
				time.Sleep(test.after)
				require.NoError(t, l.conn.Close())
				time.Sleep(test.away)
				again := m.open(t, testKey, id)
				name, _ := again.event(t)
				if test.resumed {
					assert.Equal(t, "patch", name)
				} else {
					assert.Equal(t, "put", name)
				}
				time.Sleep(time.Minute)
				require.NoError(t, again.conn.Close())
				if !test.resumed {
					name, _ = m.open(t, testKey, id).event(t)
					assert.Equal(t, "patch", name, "one put is enough, if the relay stays")
				}
			}, noKeepalives)
		})
	}
}

// TestARelayThatSaysWhatItHoldsIsResumed, however soon after an event its stream ended: package autoconfig, which sends its
// instance, sends the id of an event only if it holds the state. Another client at its address may have refused it.
func TestARelayThatSaysWhatItHoldsIsResumed(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		const instance = "Relayconf-Instance: an-instance-of-a-manager"
		ours, other := m.open(t, testKey, "", instance), m.open(t, testKey, "")
		ours.event(t)
		other.event(t)
		m.Changes(false, []autoconfig.Change{env("a", 2)})
		_, id := ours.event(t)
		other.event(t)
		require.NoError(t, ours.conn.Close())
		require.NoError(t, other.conn.Close())
		time.Sleep(time.Second)
		name, _ := m.open(t, testKey, id, instance).event(t)
		assert.Equal(t, "patch", name)
		name, _ = m.open(t, testKey, id).event(t)
		assert.Equal(t, "put", name, "the other may have refused the event")
	}, noKeepalives)
}

func TestARelayThatReadsNothingIsDropped(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		l := m.open(t, testKey, "")
		l.event(t)
		m.Changes(false, []autoconfig.Change{env("a", 2)})
		time.Sleep(59 * time.Second)
		synctest.Wait()
		assert.Len(t, m.Relays(), 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Empty(t, m.Relays())
		assert.Equal(t, uint64(1), m.Status().Counters.DroppedSlow)
		_, err := io.ReadAll(l.conn)
		require.NoError(t, err)
	}, noKeepalives)
}

func TestAFormerKeyCountsForAWhile(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		require.NoError(t, m.SetKeys([]hub.Key{
			{Name: "new", Key: "rel-new"}, {Name: "former", Key: testKey, Until: time.Now().Add(24 * time.Hour)}}))
		l := m.open(t, testKey, "")
		l.event(t)
		time.Sleep(24*time.Hour - time.Second)
		synctest.Wait()
		require.Len(t, m.Relays(), 1)
		assert.Equal(t, "200 OK", m.open(t, testKey, "").status)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Empty(t, m.Relays())
		assert.Equal(t, "401 Unauthorized", m.open(t, testKey, "").status)
		_, err := io.ReadAll(l.reader)
		assert.NoError(t, err)
	}, noKeepalives)
}

func TestAnUnknownKeyMayBecomeKnown(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		assert.Equal(t, "503 Service Unavailable", m.open(t, "rel-unknown", "").status)
		time.Sleep(119 * time.Second)
		assert.Equal(t, "503 Service Unavailable", m.open(t, "rel-unknown", "").status)
		assert.Equal(t, "503 Service Unavailable", m.open(t, "rel-other", "").status, "each has its own time")
		time.Sleep(time.Second)
		assert.Equal(t, "401 Unauthorized", m.open(t, "rel-unknown", "").status)
		assert.Equal(t, "401 Unauthorized", m.open(t, "", "").status)
		_, err := m.Authenticate("rel-other")
		assert.ErrorIs(t, err, hub.ErrKeyNotYetKnown)
		_, err = m.Authenticate("rel-unknown")
		assert.ErrorIs(t, err, hub.ErrUnknownKey)
	}, hub.WithUnknownKeyGrace(2*time.Minute))
}

func TestDrain(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		const relays = 20
		start := time.Now()
		told := make(chan time.Duration, relays)
		ended := make(chan time.Duration, relays)
		for range relays {
			l := m.open(t, testKey, "")
			l.event(t)
			go func() {
				name := l.read(t)
				told <- time.Since(start)
				assert.Equal(t, "event: reconnect", name)
				rest, err := io.ReadAll(l.reader)
				ended <- time.Since(start)
				assert.NoError(t, err, "an orderly end")
				assert.NotContains(t, string(rest), "id:")
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 23*time.Second)
		defer cancel()
		drained := make(chan error)
		go func() { drained <- m.Drain(ctx) }()
		time.Sleep(time.Millisecond)
		assert.True(t, m.Status().Draining)
		assert.False(t, m.Status().Ready)
		assert.Equal(t, "503 Service Unavailable", m.open(t, testKey, "").status)
		require.NoError(t, <-drained)
		for i := range relays {
			at := time.Duration(i) * time.Second
			assert.Equal(t, at, <-told)
			assert.Equal(t, at+2*time.Second, <-ended)
		}
	}, noKeepalives)
}

func TestDrainEndsWithItsContext(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		l := m.open(t, testKey, "")
		l.event(t)
		stuck := m.open(t, testKey, "")
		stuck.event(t)
		m.Changes(false, []autoconfig.Change{env("a", 2)})
		l.event(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		go func() { _, _ = io.ReadAll(l.reader) }()
		err := m.Drain(ctx)
		assert.True(t, errors.Is(err, context.Canceled), err)
		assert.Empty(t, m.Relays())
	}, noKeepalives)
}

func TestAdmission(t *testing.T) {
	inMemory(t, func(t *testing.T, m *memory) {
		var id string
		for range 2 { // a put of 200 bytes takes more than there is, once
			l := m.open(t, testKey, "")
			require.Equal(t, "200 OK", l.status)
			_, id = l.event(t)
		}
		for range 3 {
			assert.Equal(t, "503 Service Unavailable", m.open(t, testKey, "").status)
		}
		assert.Equal(t, "200 OK", m.open(t, testKey, id).status, "a resume is always let in")
		assert.Equal(t, uint64(3), m.Status().Counters.RefusedAdmission)
		time.Sleep(time.Minute)
		assert.Equal(t, "200 OK", m.open(t, testKey, "").status)
	}, hub.WithAdmission(10, 300), noKeepalives)
}
