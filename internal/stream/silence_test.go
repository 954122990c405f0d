package stream

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/internal/sse"
)

func TestTheWatchOfALostConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(time.Minute, func(error) {})
		w.opened(sse.NewReader(strings.NewReader(""), 0, sse.Names{}))
		w.proceed(true, true)
		w.pause()
		time.Sleep(90 * time.Second)
		w.stop()
		w.resume()
		synctest.Wait()
		assert.False(t, w.timer.Stop(), "a handler that was busy for long has set its timer again, which goes off for ever")
	})
}

func TestAHandlerCallPutsTheEndOfASilentConnectionOffByItsOwnTimeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		silent, end := io.Pipe()
		reader := sse.NewReader(silent, 0, sse.Names{})
		w := newWatch(time.Minute, cancel)
		w.opened(reader)
		w.proceed(true, true)
		go func() { _, _ = reader.Next() }()
		opened := time.Now()
		time.Sleep(59 * time.Second)
		w.pause()
		time.Sleep(2 * time.Second) // the read timeout passes
		w.resume()
		<-ctx.Done()
		assert.Equal(t, time.Minute+2*time.Second, time.Since(opened))
		w.stop()
		_ = end.Close()
	})
}
