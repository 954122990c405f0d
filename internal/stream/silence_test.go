package stream

import (
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
