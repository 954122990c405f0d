package sse

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeated returns what it holds over and over, cut at the end of each round.
type repeated struct {
	stream string
	at     int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.stream[r.at:])
	r.at = (r.at + n) % len(r.stream)
	return n, nil
}

func TestReadingAllocatesNothing(t *testing.T) {
	for _, test := range []struct{ rule, stream string }{
		{"small events", "event: patch\ndata: {}\n\n"},
		{"comments", ":keepalive\n\n"},
		{"retry", "retry: 1000\n\n"},
		{"every known name, and one more", "event:policy-note\ndata:\n\nevent:put\ndata:\n\n" +
			"event:patch\ndata:\n\nevent:delete\ndata:\n\nevent:reconnect\ndata:\n\nevent:message\ndata:\n\ndata:\n\n"},
		{"several data lines", strings.Repeat("data:some more\n", 100) + "\n"},
		{"an event that takes several reads", "data:" + strings.Repeat("x", 200_000) + "\n\n"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r := NewReader(&repeated{stream: test.stream}, 1<<20, protocol)
			hundred := func() { // AllocsPerRun rounds down to whole allocations
				for range 100 {
					if _, err := r.Next(); err != nil {
						t.Fatal(err)
					}
				}
			}
			hundred() // the buffers grow
			assert.Zero(t, testing.AllocsPerRun(10, hundred))
		})
	}
}

const hugeSize = 34_000_000

// hugeThenIdle sends one huge event and then small ones, and makes no garbage of its own.
type hugeThenIdle struct{ sent int }

func (h *hugeThenIdle) Read(p []byte) (int, error) {
	switch {
	case h.sent == 0:
		h.sent = copy(p, "data:")
		return h.sent, nil
	case h.sent < hugeSize:
		n := min(len(p), hugeSize-h.sent)
		for i := range p[:n] {
			p[i] = 'x'
		}
		h.sent += n
		return n, nil
	}
	return copy(p, "\n\ndata:a\n\n"), nil
}

func TestAHugeEventTakesTwiceItsSizeAndIsGivenBack(t *testing.T) {
	r := NewReader(&hugeThenIdle{}, 256<<20, protocol)
	before := memory()
	item, err := r.Next()
	require.NoError(t, err)
	after := memory()
	require.Len(t, item.Data, hugeSize-len("data:"))
	// All that was ever allocated is the most that can have been in use at once.
	assert.Less(t, float64(after.TotalAlloc-before.TotalAlloc), 2.1*hugeSize)

	require.Equal(t, event("message", "a"), next(t, r))
	item = Item{}
	assert.Less(t, int64(memory().HeapAlloc)-int64(before.HeapAlloc), int64(1<<20))
	runtime.KeepAlive(r)
}

func TestAnEventThatIsTooLargeIsGivenBack(t *testing.T) {
	r := NewReader(&hugeThenIdle{}, hugeSize/2, protocol)
	before := memory()
	_, err := r.Next()
	require.Equal(t, ErrTooLarge, err)
	assert.Less(t, int64(memory().HeapAlloc)-int64(before.HeapAlloc), int64(1<<20))
	runtime.KeepAlive(r)
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// A million lines take a fraction of a second; in quadratic time they would take many minutes. A reader that looks for
// LF from each CR to the end of its buffer takes some hundred times as long for CR as for LF.
func TestManyDataLinesTakeLinearTime(t *testing.T) {
	read := func(lineEnd string) time.Duration {
		const count = 1_000_000
		stream := strings.Repeat("data:x"+lineEnd, count) + lineEnd
		begin := time.Now()
		item, err := NewReader(oneRead(stream), 0, protocol).Next()
		require.NoError(t, err)
		assert.Len(t, item.Data, 2*count-1)
		return time.Since(begin)
	}
	withLF := read("\n")
	assert.Less(t, withLF, 30*time.Second)
	assert.Less(t, read("\r"), time.Second+30*withLF)
	assert.Less(t, read("\r\n"), time.Second+30*withLF)
}
