package stream

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/internal/memnet"
	"github.com/relayconf/relayconf/internal/sse"
)

func TestAnIdleLineKeepsNoLargeBuffer(t *testing.T) {
	defer goleak.VerifyNone(t)
	service := memnet.NewService()
	u, err := URL("http://localhost", 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	line := Open(ctx, Options{URL: u, Client: &http.Client{Transport: service}, Key: "key", ReadTimeout: time.Hour})
	defer func() {
		cancel()
		<-line.Done()
	}()
	exchange := service.Next(time.Minute)
	require.True(t, exchange.Stream())
	written := make(chan error, 1)
	go func() {
		_, err := exchange.Write([]byte("data: " + strings.Repeat("x", 200<<10) + "\n\n"))
		if err == nil {
			_, err = exchange.Write([]byte(": now the stream is idle\n\n"))
		}
		written <- err
	}()

	next := func(want Kind) *Signal {
		signal := <-line.Signals()
		require.Equal(t, want, signal.Kind)
		return signal
	}
	next(Opened).Proceed(Verdict{})
	next(Received).Proceed(Verdict{Fed: true})
	comment := next(Received)
	require.Equal(t, sse.Comment, comment.Item.Kind)
	buffer := weak.Make(&comment.Item.Data[0]) // the buffer that has grown for the event
	comment.Proceed(Verdict{Fed: true})
	require.NoError(t, <-written)
	require.Eventually(t, func() bool {
		runtime.GC()
		return buffer.Value() == nil
	}, time.Minute, 10*time.Millisecond)
	runtime.KeepAlive(comment)
}
