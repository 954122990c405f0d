package sse

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// step is one Read's bytes and when they come.
type step struct {
	after time.Duration
	bytes string
}

// timed is a source that takes its time. What does not fit into a Read comes with the next one at once.
type timed []step

func (s *timed) Read(p []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	now := &(*s)[0]
	time.Sleep(now.after)
	n := copy(p, now.bytes)
	now.after, now.bytes = 0, now.bytes[n:]
	if now.bytes == "" {
		*s = (*s)[1:]
	}
	return n, nil
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReader(&timed{{3 * time.Minute, ":a\n"}, {time.Minute, "data:"}, {2 * time.Minute, "b\n\n"}}, 0, protocol)
		silence := func() time.Duration {
			synctest.Wait()
			return r.Silence(time.Now())
		}
		assert.Zero(t, silence(), "no Read is under way before the first Next")

		handled := make(chan struct{})
		go func() {
			for {
				_, err := r.Next()
				if err != nil {
					close(handled)
					return
				}
				handled <- struct{}{}
			}
		}()

		assert.Zero(t, silence(), "the Read has just begun")
		time.Sleep(2 * time.Minute)
		assert.Equal(t, 2*time.Minute, silence(), "the Read has waited for that long")
		time.Sleep(2 * time.Minute)
		assert.Zero(t, silence(), "the comment is being handled since a minute")
		<-handled
		time.Sleep(time.Minute + time.Second)
		assert.Equal(t, time.Second, silence(), "any byte ends the silence, also in the middle of a line")
		assert.Zero(t, r.Silence(time.Now().Add(-time.Hour)), "a silence is never negative")
		<-handled
		<-handled
		assert.Zero(t, silence(), "the stream has ended")
	})
}

func TestLastByteAndLastField(t *testing.T) {
	for _, test := range []struct {
		rule  string
		reads []string // one a minute
		byte  int      // the minute of the last byte; 0 if there was none
		field int
	}{
		{"nothing came", nil, 0, 0},
		{"an event is a field", []string{"data:a\n\n", ":\n\n"}, 2, 1},
		{"a comment is no field", []string{":a\n\n", ":b\n"}, 2, 0},
		{"part of a comment is no field", []string{":a", "b", "c\n"}, 3, 0},
		{"a Read without a byte is none", []string{"data:a\n", ""}, 1, 1},
		{"blank lines are no field", []string{"\n", "\r\n", "\r", "\n"}, 4, 0},
		{"a whole field line is a field", []string{"\n", "foo\n", "\n"}, 3, 2},
		{"part of a field line is a field", []string{":a\n", "da", "ta:", "b", "c"}, 5, 5},
		{"a comment after a field is no field", []string{"data:a\n", ":b", "\n"}, 3, 1},
		{"a field along with a comment is a field", []string{":", "a\nd"}, 2, 2},
		{"a field before a comment is a field", []string{":", "\ndata\n:a"}, 2, 2},
		{"the blank line that ends an event is no field", []string{"data:a\r", "\n\r\n"}, 2, 1},
		{"colons in a long data line are a field", []string{"data:", "::::::::::::", "::::::::::::", "::::::::::::"}, 4, 4},
		{"a long comment is no field", []string{":", "aaaaaaaaaaaa", "aaaaaaaaaaaa", "aaaaaaaaaaaa"}, 4, 0},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				minute := func(at time.Time) int {
					if at.IsZero() {
						return 0
					}
					return int(at.Sub(begin) / time.Minute)
				}
				var src timed
				for _, read := range test.reads {
					src = append(src, step{time.Minute, read})
				}
				r := newReader(&src, 0, protocol, tiny)
				readStory(r)
				assert.Equal(t, test.byte, minute(r.LastByte()), "LastByte")
				assert.Equal(t, test.field, minute(r.LastField()), "LastField")
			})
		})
	}
}

// With the race detector, this proves that any goroutine may ask.
func TestLivenessFromOtherGoroutines(t *testing.T) {
	r := NewReader(newDribble("data:a\n\n:b\ndata:c\n\n", 3, 1), 0, protocol)
	done := make(chan struct{})
	go func() {
		defer close(done)
		readStory(r)
	}()
	for {
		now := time.Now()
		assert.GreaterOrEqual(t, r.Silence(now), time.Duration(0))
		assert.LessOrEqual(t, r.LastField().Sub(r.LastByte()), time.Minute)
		select {
		case <-done:
			return
		default:
		}
	}
}

// watchedSource knows when bytes came for the Read under way.
type watchedSource struct {
	io.Reader
	last time.Time
}

func (s *watchedSource) LastByte() time.Time { return s.last }

func TestBytesOfAReadUnderWayAreNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &watchedSource{Reader: &timed{{0, "data: 1\n\n"}, {time.Hour, "data: 2\n\n"}}}
		r := NewReader(src, 0, protocol)
		_, err := r.Next()
		assert.NoError(t, err)
		first := time.Now()
		go func() { _, _ = r.Next() }()
		time.Sleep(10 * time.Minute)
		assert.Equal(t, 10*time.Minute, r.Silence(time.Now()))
		assert.Equal(t, first, r.LastByte())
		assert.Equal(t, first, r.LastField())
		src.last = time.Now()
		time.Sleep(time.Minute)
		assert.Equal(t, time.Minute, r.Silence(time.Now()))
		assert.Equal(t, src.last, r.LastByte())
		assert.Equal(t, src.last, r.LastField())
		time.Sleep(time.Hour)
	})
}
