package printer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = time.Minute

// output is a pipe or a disk: each write takes as many bytes as it is given room for, and waits while it is stalled.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	room    int // bytes until it is full; negative: no end
	begun   chan struct{}
	stalled chan struct{} // a write waits until it is closed; nil: not at all
}

var errFull = errors.New("full")

func (o *output) Write(p []byte) (int, error) {
	if o.stalled != nil {
		select {
		case o.begun <- struct{}{}:
		default:
		}
		<-o.stalled
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	if o.room >= 0 {
		n = min(n, o.room)
		o.room -= n
	}
	o.text.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (o *output) setRoom(room int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.room = room
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func leftOut(lines int) []byte { return fmt.Appendf(nil, "(%d left out)\n", lines) }

func flush(t *testing.T, p *Printer) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	missing := p.Flush(ctx)
	require.NoError(t, ctx.Err())
	return missing
}

func TestLinesComeInOrder(t *testing.T) {
	out := &output{room: -1}
	p := New(Options{Out: out, LeftOut: leftOut})
	var want strings.Builder
	line := make([]byte, 0, 20)
	for i := range 10_000 {
		line = fmt.Appendf(line[:0], "%d\n", i) // the same memory each time, as package log has it
		_, _ = p.Write(line)
		want.Write(line)
	}
	assert.Zero(t, flush(t, p))
	assert.Equal(t, want.String(), out.String())
}

func TestAStalledOutputKeepsTheNewestLinesAndSaysHowManyAreMissing(t *testing.T) {
	out := &output{room: -1, begun: make(chan struct{}, 1), stalled: make(chan struct{})}
	p := New(Options{Out: out, Limit: 30, LeftOut: leftOut})
	_, _ = p.Write([]byte("first\n"))
	<-out.begun
	for i := range 100 {
		_, _ = p.Write(fmt.Appendf(nil, "line %04d\n", i)) // 10 bytes
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Equal(t, 100, p.Flush(ended), "nothing but the first was taken")
	close(out.stalled)
	assert.Zero(t, flush(t, p))
	assert.Equal(t, "first\n(97 left out)\nline 0097\nline 0098\nline 0099\n", out.String())
}

func TestALineLargerThanTheLimitIsPrinted(t *testing.T) {
	out := &output{room: -1}
	p := New(Options{Out: out, Limit: 3, LeftOut: leftOut})
	_, _ = p.Write([]byte("larger than that\n"))
	assert.Zero(t, flush(t, p))
	assert.Equal(t, "larger than that\n", out.String())
}

func TestAFailureIsToldOnceAndSurvived(t *testing.T) {
	out := &output{room: 8}
	var told []string
	p := New(Options{Out: out, LeftOut: leftOut,
		Failed: func(err error) { told = append(told, err.Error()) }, Recovered: func() { told = append(told, "recovered") }})
	print := func(line string) int { _, _ = p.Write([]byte(line)); return flush(t, p) }
	assert.Equal(t, 0, print("one\n"))
	assert.Equal(t, 1, print("second\n"), "only half of it was written")
	require.ErrorIs(t, p.Err(), errFull)
	assert.Equal(t, 2, print("third\n"))
	out.setRoom(5) // for a part of the notice
	assert.Equal(t, 3, print("fourth\n"))
	out.setRoom(-1)
	assert.Equal(t, 0, print("fifth\n"))
	require.NoError(t, p.Err())
	assert.Equal(t, "one\nseco\n(2 l\n(3 left out)\nfifth\n", out.String(), "a broken line is ended first")
	assert.Equal(t, []string{"full", "recovered"}, told)
}
