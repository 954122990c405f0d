package sse

import (
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var forever = retry(time.Duration(math.MaxInt64).String())

var rules = []struct {
	rule   string
	stream string
	want   []string
	err    error // io.EOF if nil
}{
	{rule: "an empty stream has no items", stream: ""},

	// Lines.
	{rule: "a line ends with LF", stream: "data:a\n\n", want: []string{event("message", "a")}},
	{rule: "a line ends with CR", stream: "data:a\r\r", want: []string{event("message", "a")}},
	{rule: "a line ends with CRLF", stream: "data:a\r\n\r\n", want: []string{event("message", "a")}},
	{rule: "line ends may be mixed", stream: "data:a\rdata:b\ndata:c\r\n\ndata:d\n\r\ndata:e\r\n\r",
		want: []string{event("message", "a\nb\nc"), event("message", "d"), event("message", "e")}},
	{rule: "LF CR are two line ends", stream: "data:a\n\rdata:b\n\n",
		want: []string{event("message", "a"), event("message", "b")}},
	{rule: "CRLF is one line end, also before the first line", stream: "\r\ndata:a\r\ndata:b\r\n\r\n",
		want: []string{event("message", "a\nb")}},
	{rule: "a byte order mark at the start is dropped", stream: "\xEF\xBB\xBFdata:a\n\n", want: []string{event("message", "a")}},
	{rule: "only one byte order mark is dropped", stream: "\xEF\xBB\xBF\xEF\xBB\xBFdata:a\n\ndata:b\n\n",
		want: []string{event("message", "b")}},
	{rule: "a byte order mark later on is part of a name", stream: "data:a\n\xEF\xBB\xBFdata:b\n\n",
		want: []string{event("message", "a")}},
	{rule: "what only begins like a byte order mark is a name", stream: "\xEF\xBBdata:a\ndata:b\n\n",
		want: []string{event("message", "b")}},

	// Fields.
	{rule: "one space after the colon is dropped", stream: "data: a\n\n", want: []string{event("message", "a")}},
	{rule: "only one space after the colon is dropped", stream: "data:  a \n\n", want: []string{event("message", " a ")}},
	{rule: "a tab after the colon is kept", stream: "data:\ta\n\n", want: []string{event("message", "\ta")}},
	{rule: "only the first colon ends the name", stream: "data:a:b: c\n\n", want: []string{event("message", "a:b: c")}},
	{rule: "a line without a colon is a field with an empty value", stream: "data\n\n", want: []string{event("message", "")}},
	{rule: "an unknown field is ignored", stream: "foo:1\ndata:a\nbar\n\n", want: []string{event("message", "a")}},
	{rule: "field names are case-sensitive", stream: "Data:a\ndata:b\n\n", want: []string{event("message", "b")}},
	{rule: "a space before the name makes it unknown", stream: " data:a\ndata:b\n\n", want: []string{event("message", "b")}},
	{rule: "a space before the colon makes it unknown", stream: "data :a\ndata:b\n\n", want: []string{event("message", "b")}},
	{rule: "an id is ignored", stream: "id:1\ndata:a\nid:2\x003\n\n", want: []string{event("message", "a")}},

	// Events.
	{rule: "a blank line dispatches", stream: "event:put\ndata:a\n\nevent:patch\ndata:b\n\n",
		want: []string{event("put", "a"), event("patch", "b")}},
	{rule: "an event may have any name", stream: "event:new one\ndata:a\n\n", want: []string{event("new one", "a")}},
	{rule: "the last name counts", stream: "event:put\nevent:delete\ndata:a\n\n", want: []string{event("delete", "a")}},
	{rule: "the name may come after the data", stream: "data:a\nevent:put\n\n", want: []string{event("put", "a")}},
	{rule: "an empty name is message", stream: "event:put\nevent:\ndata:a\n\n", want: []string{event("message", "a")}},
	{rule: "a name is for one event only", stream: "event:put\ndata:a\n\ndata:b\n\n",
		want: []string{event("put", "a"), event("message", "b")}},
	{rule: "an event without a data line is not dispatched", stream: "event:put\n\nid:1\n\nfoo\n\n"},
	{rule: "an event without a data line takes its name with it", stream: "event:put\n\ndata:a\n\n",
		want: []string{event("message", "a")}},
	{rule: "an empty data line dispatches", stream: "data:\n\n", want: []string{event("message", "")}},
	{rule: "data lines are joined with LF", stream: "data:a\ndata: b\ndata:c\n\n", want: []string{event("message", "a\nb\nc")}},
	{rule: "empty data lines count", stream: "data\ndata:a\ndata:\ndata\n\ndata\ndata\n\n",
		want: []string{event("message", "\na\n\n"), event("message", "\n")}},
	{rule: "other fields may come between data lines", stream: "data:a\nevent:put\n:c\nfoo\ndata:b\n\n",
		want: []string{comment("c"), event("put", "a\nb")}},
	{rule: "blank lines between events mean nothing", stream: "\n\n\ndata:a\n\n\n\n", want: []string{event("message", "a")}},
	{rule: "bytes are passed as they are", stream: "event:\xFF\ndata:\x00\xFE\n\n", want: []string{event("\xFF", "\x00\xFE")}},

	// Comments.
	{rule: "a comment is an item", stream: ":a\n\n", want: []string{comment("a")}},
	{rule: "a comment may be empty", stream: ":\n: \n", want: []string{comment(""), comment("")}},
	{rule: "one space before a comment is dropped", stream: ":  a: b\n", want: []string{comment(" a: b")}},
	{rule: "a comment inside an event comes first", stream: "event:put\n:c\ndata:a\n:d\n\n",
		want: []string{comment("c"), comment("d"), event("put", "a")}},

	// Retry.
	{rule: "a retry field is an item", stream: "retry:1500\n", want: []string{retry("1.5s")}, err: io.ErrUnexpectedEOF},
	{rule: "a retry field inside an event comes first", stream: "data:a\nretry: 10\n\n",
		want: []string{retry("10ms"), event("message", "a")}},
	{rule: "each retry field is an item", stream: "retry:1\nretry:0\nretry:007\n\n",
		want: []string{retry("1ms"), retry("0s"), retry("7ms")}},
	{rule: "retry is ASCII digits only", stream: "retry:\nretry:-1\nretry:+1\nretry:1.5\nretry:1s\nretry:  1\nretry:\u0661\n\n"},
	{rule: "a huge retry is the longest duration",
		stream: "retry:9223372036854\nretry:9223372036855\nretry:999999999999999\n\n",
		want:   []string{retry("2562047h47m16.854s"), forever, forever}},

	{rule: "an event that is passed in as bare counts without data",
		stream: "event:reconnect\n\nevent:put\n\nevent: reconnect\ndata\n\n",
		want:   []string{event("reconnect", ""), event("reconnect", "")}},

	// The end.
	{rule: "an event without its blank line is dropped", stream: "data:a\n\ndata:b\n",
		want: []string{event("message", "a")}, err: io.ErrUnexpectedEOF},
	{rule: "an event that ends in a line is dropped", stream: "data:a\n\nda",
		want: []string{event("message", "a")}, err: io.ErrUnexpectedEOF},
	{rule: "a comment that does not end is dropped", stream: ":a\n:b", want: []string{comment("a")}},
	{rule: "a comment does not end an event", stream: "data:a\n:b", err: io.ErrUnexpectedEOF},
	{rule: "half a byte order mark is nothing", stream: "\xEF\xBB"},
}

// Every stream gives the same story, however it is cut into reads and however small the buffers are.
func TestRules(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.rule, func(t *testing.T) {
			want := story{rule.want, rule.err}
			if want.err == nil {
				want.err = io.EOF
			}
			for _, s := range []sizes{defaultSizes, tiny} {
				assert.Equal(t, want, readStory(newReader(oneRead(rule.stream), 0, protocol, s)), "one read")
				assert.Equal(t, want, readStory(newReader(iotest.OneByteReader(oneRead(rule.stream)), 0, protocol, s)), "byte by byte")
				assert.Equal(t, want, readStory(newReader(iotest.DataErrReader(oneRead(rule.stream)), 0, protocol, s)), "bytes with EOF")
				for seed := range uint64(20) {
					assert.Equal(t, want, readStory(newReader(newDribble(rule.stream, 8, seed), 0, protocol, s)), "seed %d", seed)
				}
			}
		})
	}
}

func TestCapturedStream(t *testing.T) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(t, err)
	got := readStory(NewReader(strings.NewReader(string(captured)), 0, protocol))
	var kinds []string
	for _, item := range got.items {
		kinds = append(kinds, strings.Join(strings.Fields(item)[:2], " "))
	}
	assert.Equal(t, []string{`comment "hello"`, `event "put"`, `comment ""`, `event "patch"`, `event "patch"`,
		`comment "keepalive"`, `event "delete"`, `event "policy-note"`, `event "reconnect"`}, kinds)
	assert.Equal(t, io.ErrUnexpectedEOF, got.err, "the last event was cut off")
	assert.Equal(t, got, readStory(NewReader(iotest.OneByteReader(strings.NewReader(string(captured))), 0, protocol)))
}

// A reader that waited for the LF after a CR would hold back the last event of a burst until the next one comes.
func TestALoneCRDoesNotDelayAnEvent(t *testing.T) {
	events, stream := io.Pipe()
	defer stream.Close()
	r := NewReader(events, 0, protocol)
	for _, burst := range []struct{ sent, want string }{
		{"data:a\r\r", event("message", "a")},
		{"data:b\r\n\r", event("message", "b")},
		{"\ndata:c\r\n\r", event("message", "c")},
		{"\n:d\r", comment("d")},
	} {
		go func() { _, _ = io.WriteString(stream, burst.sent) }()
		assert.Equal(t, burst.want, next(t, r))
	}
}

func TestAnErrorOfTheSourceIsReturnedAsItIs(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct{ rule, stream string }{
		{"between events", ":a\n"},
		{"inside an event", ":a\ndata:b\n"},
		{"inside a line", ":a\nda"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			together := newDribble(test.stream, 8, 1)
			together.err = broken
			for _, src := range []io.Reader{together, io.MultiReader(oneRead(test.stream), iotest.ErrReader(broken))} {
				r := NewReader(src, 0, protocol)
				assert.Equal(t, comment("a"), next(t, r))
				for range 3 {
					_, err := r.Next()
					assert.Same(t, broken, err, "every call returns it again")
				}
			}
		})
	}
}

type emptyReads struct{}

func (emptyReads) Read([]byte) (int, error) { return 0, nil }

func TestASourceThatNeverReturnsAnythingIsAnError(t *testing.T) {
	_, err := NewReader(emptyReads{}, 0, protocol).Next()
	assert.Equal(t, io.ErrNoProgress, err)
}

func TestAnItemIsValidUntilTheNextOne(t *testing.T) {
	r := NewReader(oneRead("data:first\n\n:comment\ndata:second\ndata:third\n:other\n\ndata:fourth\n\n"), 0, protocol)
	for _, want := range []string{"first", "comment", "other", "second\nthird", "fourth"} {
		item, err := r.Next()
		require.NoError(t, err)
		assert.Equal(t, want, string(item.Data))
		_ = append(item.Data, "reaches no byte of the reader's"...)
	}
}
