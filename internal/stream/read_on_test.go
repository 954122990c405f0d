package stream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/internal/memnet"
	"github.com/relayconf/relayconf/internal/sse"
)

// bigPut is a line and a service that has begun to send it a put. The put does not end.
type bigPut struct {
	line    *Line
	written atomic.Int64 // bytes of the put
}

const partSize = 256 << 10

// beginPut has the service send so many bytes of a put.
func beginPut(t *testing.T, size int) *bigPut {
	service := memnet.NewService()
	ctx, cancel := context.WithCancel(t.Context())
	p := &bigPut{line: Open(ctx, Options{
		URL: &url.URL{Scheme: "http", Host: "localhost"}, Client: &http.Client{Transport: service}, Key: "key",
		ReadTimeout: time.Hour, Names: sse.Names{Split: "put"},
	})}
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-p.line.Done()
		<-done
		goleak.VerifyNone(t)
	})
	exchange := service.Next(time.Minute)
	require.True(t, exchange.Stream())
	go func() {
		defer close(done)
		_, _ = exchange.Write([]byte("event: put\ndata: "))
		for text := []byte(strings.Repeat("x", 1<<10)); size > 0; size -= len(text) {
			if _, err := exchange.Write(text); err != nil {
				return
			}
			p.written.Add(int64(len(text)))
		}
	}()
	p.next(t, Opened).Proceed(Verdict{})
	return p
}

func (p *bigPut) next(t *testing.T, want Kind) *Signal {
	select {
	case signal := <-p.line.Signals():
		require.Equal(t, want, signal.Kind)
		return signal
	case <-time.After(time.Minute):
		require.Fail(t, "no signal within a minute")
		return nil
	}
}

func TestALineReadsOnWhileAPartIsDecoded(t *testing.T) {
	p := beginPut(t, 3*partSize)
	part := p.next(t, Received)
	require.True(t, part.Item.More)
	require.Eventually(t, func() bool { return p.written.Load() >= 2*partSize-1<<10 }, time.Minute, time.Millisecond)
	_, ok := part.Next()
	assert.False(t, ok, "the line reads")
	part.Proceed(Verdict{})
	assert.True(t, p.next(t, Received).Item.More)
}

func TestAPartIsAnsweredWhileTheServiceSendsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		verdict Verdict
		failed  bool // the end is a failure
	}{
		"invalid data": {Verdict{Invalid: errors.New("no put")}, true},
		"reconnect":    {Verdict{Reconnect: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := beginPut(t, partSize)
			part := p.next(t, Received)
			require.True(t, part.Item.More)
			require.Eventually(t, func() bool { return p.written.Load() == partSize }, time.Minute, time.Millisecond)
			part.Proceed(test.verdict)
			lost := p.next(t, Lost)
			assert.Equal(t, test.failed, lost.Failure != nil)
			if test.failed {
				assert.Equal(t, KindInvalidData, lost.Failure.Kind)
			}
			lost.Proceed(Verdict{})
		})
	}
}
