package sse

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
)

func TestLimit(t *testing.T) {
	for _, test := range []struct {
		rule   string
		stream string
		want   []string
		err    error
	}{
		{"an event as large as the limit passes", "data:67890\n\n", []string{event("message", "67890")}, io.EOF},
		{"a larger event does not", "data:678901\n\n", nil, ErrTooLarge},
		{"the line under way counts", "data:678901", nil, ErrTooLarge},
		{"the lines of an event add up", "data:\ndata:\nd\n\n", nil, ErrTooLarge},
		{"and with the line under way", "data:\ndata:x", nil, ErrTooLarge},
		{"line ends do not count", "data:\r\ndata:\r\n\r\n", []string{event("message", "\n")}, io.EOF},
		{"the event's name counts", "event:1234567890\n", nil, ErrTooLarge},
		{"unknown fields count", "12345678901\n", nil, ErrTooLarge},
		{"unknown fields under way count", "12345678901", nil, ErrTooLarge},
		{"each event counts for itself", "data:67890\n\ndata:12345\n\n",
			[]string{event("message", "67890"), event("message", "12345")}, io.EOF},
		{"an event that is not dispatched ends, too", "event:7890\n\ndata:67890\n\n",
			[]string{event("message", "67890")}, io.EOF},
		{"comments do not count", ":12345678901234567890\ndata:67890\n:12345678901\n\n",
			[]string{comment("1234567890123456"), comment("12345678901"), event("message", "67890")}, io.EOF},
		{"the byte order mark does not count", "\xEF\xBB\xBFdata:67890\n\n", []string{event("message", "67890")}, io.EOF},
		{"items before it are returned first", ":a\ndata:b\n\nretry:1\ndata:\n",
			[]string{comment("a"), event("message", "b"), retry("1ms")}, ErrTooLarge},
	} {
		t.Run(test.rule, func(t *testing.T) {
			want := story{test.want, test.err}
			assert.Equal(t, want, readStory(newReader(oneRead(test.stream), 10, protocol, tiny)))
			assert.Equal(t, want, readStory(newReader(iotest.OneByteReader(oneRead(test.stream)), 10, protocol, tiny)))
		})
	}
}

func TestNoLimitIfItIsNotPositive(t *testing.T) {
	stream := "data:" + strings.Repeat("x", 10_000_000) + "\n\n"
	for _, limit := range []int{0, -1} {
		item, err := NewReader(oneRead(stream), limit, protocol).Next()
		assert.NoError(t, err)
		assert.Len(t, item.Data, 10_000_000)
	}
}

func TestTheReaderIsFinishedAfterErrTooLarge(t *testing.T) {
	r := NewReader(oneRead("data:too large\n\ndata:a\n\n"), 10, protocol)
	for range 3 {
		_, err := r.Next()
		assert.Equal(t, ErrTooLarge, err)
	}
}

// endless repeats a line's bytes for ever and counts how many were asked for.
type endless struct {
	start string
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.read == 0 {
		copy(p, e.start)
	}
	e.read += len(p)
	return len(p), nil
}

func TestAnEndlessLineHitsTheLimitSoon(t *testing.T) {
	const limit = 10_000_000
	for _, start := range []string{"data:", "event:", "id:", "retry:1", "foo:", "foo"} {
		src := &endless{start: start}
		_, err := NewReader(src, limit, protocol).Next()
		assert.Equal(t, ErrTooLarge, err, start)
		assert.Less(t, src.read, limit+defaultSizes.maxBuf, start)
	}
}

// In the long lines only the beginning matters, and they are cut at the same place whether they come whole or not.
func TestLongLines(t *testing.T) {
	const kept, long = 64 << 10, 1 << 20
	text := counting(long)
	colons := strings.Repeat(":", long)
	for _, test := range []struct {
		rule   string
		stream string
		want   []string
	}{
		{"data is whole", "data:" + text + "\ndata:" + text + "\n\n", []string{event("message", text+"\n"+text)}},
		{"data that consists of colons is no comment", "data:" + colons + "\n\n", []string{event("message", colons)}},
		{"of a comment the first 64 KiB are kept", ": " + text[:kept+1] + "\n: " + text + "\n",
			[]string{comment(text[:kept]), comment(text[:kept])}},
		{"a comment as long as that is whole", ":" + text[:kept] + "\n", []string{comment(text[:kept])}},
		{"of a name the first 64 KiB are kept", "event: " + text + "\ndata:a\n\n", []string{event(text[:kept], "a")}},
		{"a retry of 64 KiB and more is ignored", "retry:" + strings.Repeat("9", long) + "\n\n", nil},
		{"an unknown field may be long", "foo:" + text + "\ndata:a\n" + text + "\n\n", []string{event("message", "a")}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			want := story{test.want, io.EOF}
			assert.True(t, assert.ObjectsAreEqual(want, readStory(NewReader(oneRead(test.stream), 0, protocol))), "large reads")
			assert.True(t, assert.ObjectsAreEqual(want, readStory(NewReader(newDribble(test.stream, 5000, 1), 0, protocol))), "small reads")
		})
	}
}
