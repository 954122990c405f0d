package hub_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/hub"
)

// TestAHubThatEndsLeavesNoConnection ends hubs in every way, at any moment, while relays come, send too much, stall, leave
// and lose their keys. Each relay's connection ends, and no goroutine stays.
func TestAHubThatEndsLeavesNoConnection(t *testing.T) {
	before := goleak.IgnoreCurrent()
	large := largeConfiguration(256 << 10) // more than the buffers of a relay that stalls
	var group sync.WaitGroup
	for seed := range uint64(20) { // at once, as some wait for relays that stall
		group.Go(func() { endHub(t, large, rand.New(rand.NewPCG(seed, 0))) })
	}
	group.Wait()
	require.EventuallyWithT(t, func(t *assert.CollectT) { assert.NoError(t, goleak.Find(before)) }, longest, 5*time.Millisecond)
}

// longestEnd is the time limit of a wait for the end of a hub; all of them share the processors.
const longestEnd = 4 * longest

// endHub starts a hub with relays, and ends it after some changes.
func endHub(t *testing.T, large changes, random *rand.Rand) {
	timeouts := []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Hour}
	h := hub.New(hub.WithKeepalive(time.Duration(1+random.IntN(20))*time.Millisecond), hub.WithAdmission(1<<30, 1<<30),
		hub.WithWriteTimeout(timeouts[random.IntN(len(timeouts))]))
	keys := []hub.Key{{Name: "all", Key: testKey}}
	h.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()})
	assert.NoError(t, h.SetKeys(keys))
	h.Changes(true, large)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if !assert.NoError(t, err) {
		return
	}
	server := &http.Server{Handler: h, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
		return ctx
	}}
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(listener) })
	over := make(chan struct{})
	group.Go(func() { stall(t, listener.Addr().String(), over) })
	for range 8 {
		seed := random.Uint64()
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 3 {
				visitEnding(t, random, listener.Addr().String(), over)
			}
		})
	}
	assert.Eventually(t, func() bool { return h.Status().Counters.Puts > 0 }, longest, time.Millisecond)
	revokes := random.IntN(2) == 0
	for version := range 1 + random.IntN(30) {
		switch n := random.IntN(12); {
		case n == 0:
			h.Changes(true, large)
		case n == 1 && revokes:
			assert.NoError(t, h.SetKeys(nil))
			assert.NoError(t, h.SetKeys(keys))
		case n == 2:
			<-time.After(time.Millisecond) // for relays to come to rest
		default:
			h.Changes(false, changes{env("a", 2+version)})
		}
	}
	if random.IntN(4) == 0 {
		_ = server.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(100))*time.Millisecond)
	defer cancel()
	drains := random.IntN(2) == 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if drains {
			_ = h.Drain(ctx)
		}
		h.Close()
	}()
	awaitEnd(t, ended)
	assert.Empty(t, h.Relays())
	assert.NoError(t, server.Close())
	close(over)
	group.Wait()
}

// visitEnding is one connection of a relay.
func visitEnding(t *testing.T, random *rand.Rand, address string, over <-chan struct{}) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return // the server has ended
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	if random.IntN(4) == 0 {
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
	}
	request := fmt.Sprintf("GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nAuthorization: %s\r\n", testKey)
	if random.IntN(2) == 0 {
		request += "Accept-Encoding: gzip\r\n"
	}
	switch random.IntN(8) {
	case 0:
		request = request[:random.IntN(len(request))] // it is never whole
	case 1:
		request += "\r\n" + strings.Repeat("more", 1+random.IntN(2000))
	case 2:
		request += "Content-Length: 5000\r\n\r\n" + strings.Repeat("body", random.IntN(1250))
	default:
		request += "\r\n"
	}
	if _, err := io.WriteString(conn, request); err != nil || random.IntN(8) == 0 {
		return
	}
	_, _ = io.CopyN(io.Discard, limited{conn}, int64(random.IntN(1<<random.IntN(19))))
	switch random.IntN(6) {
	case 0:
		return
	case 1:
		_ = conn.(*net.TCPConn).CloseWrite()
	case 2:
		_, _ = io.WriteString(conn, "later")
	case 3:
		awaitEnd(t, over) // it stalls
	}
	_, err = io.Copy(io.Discard, limited{conn})
	assert.False(t, errors.Is(err, os.ErrDeadlineExceeded), "nobody has ended the connection")
}

// stall is a relay that reads nothing of its put.
func stall(t *testing.T, address string, over <-chan struct{}) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\n\r\n", testKey)
	awaitEnd(t, over)
}

func awaitEnd(t *testing.T, over <-chan struct{}) {
	select {
	case <-over:
	case <-time.After(longestEnd):
		t.Error("the hub has not ended")
	}
}

// limited is a connection whose reads fail after a time in which each of them should have ended.
type limited struct{ net.Conn }

func (l limited) Read(p []byte) (int, error) {
	_ = l.SetReadDeadline(time.Now().Add(longestEnd))
	return l.Conn.Read(p)
}
