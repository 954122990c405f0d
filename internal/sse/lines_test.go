package sse

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// feed reads s into the buffer, as far as it takes it, and returns the lines that are whole then.
func feed(t *testing.T, l *lines, s string) (whole []string) {
	t.Helper()
	for s != "" {
		n := copy(l.free(), s)
		require.Positive(t, n, "the buffer is full")
		l.add(n)
		s = s[n:]
		for {
			line, ok := l.next()
			if !ok {
				break
			}
			whole = append(whole, string(line))
		}
	}
	return whole
}

func TestLinesAcrossReads(t *testing.T) {
	for _, test := range []struct {
		rule    string
		reads   []string
		want    [][]string // for each read
		partial string     // in the end
	}{
		{"a line is whole once its end is there", []string{"a", "b\nc", "\n"}, [][]string{nil, {"ab"}, {"c"}}, ""},
		{"CR ends a line before it is known what follows", []string{"a\r", "b\r"}, [][]string{{"a"}, {"b"}}, ""},
		{"the LF of a CRLF may come later", []string{"a\r", "\n", "b\r", "\nc"}, [][]string{{"a"}, nil, {"b"}, nil}, "c"},
		{"an LF after that is a line end", []string{"a\r", "\n", "\n"}, [][]string{{"a"}, nil, {""}}, ""},
		{"a byte order mark may come in parts", []string{"\xEF", "\xBB", "\xBFa\n"}, [][]string{nil, nil, {"a"}}, ""},
		{"half a byte order mark is no line under way", []string{"\xEF\xBB"}, [][]string{nil}, ""},
		{"what turns out to be none is kept", []string{"\xEF", "\xBB", "a\n"}, [][]string{nil, nil, {"\xEF\xBBa"}}, ""},
	} {
		t.Run(test.rule, func(t *testing.T) {
			l := &lines{minBuf: 4, maxBuf: 64}
			for i, read := range test.reads {
				assert.Equal(t, test.want[i], feed(t, l, read), "read %d", i)
			}
			assert.Equal(t, test.partial, string(l.partial()))
		})
	}
}

func TestTheBufferGrowsOnlyWhileReadsFillIt(t *testing.T) {
	l := &lines{minBuf: 8, maxBuf: 32}
	for range 100 {
		feed(t, l, "12345\n")
	}
	assert.Len(t, l.buf, 8)
	assert.Equal(t, []string{"123456789"}, feed(t, l, "123456789\n"))
	assert.Len(t, l.buf, 16)
	feed(t, l, strings.Repeat("123456789\n", 100))
	assert.Len(t, l.buf, 32)
}

func TestALineThatFillsTheBuffer(t *testing.T) {
	full := func() *lines {
		l := &lines{minBuf: 8, maxBuf: 8}
		assert.Equal(t, []string{"a"}, feed(t, l, "a\n12345678"), "the line under way is moved to the front")
		assert.Empty(t, l.free())
		return l
	}
	t.Run("may be given away with the buffer", func(t *testing.T) {
		l := full()
		partial := l.partial()
		l.giveAway()
		assert.Empty(t, l.partial())
		assert.Equal(t, []string{"90", "b"}, feed(t, l, "90\rb\n"))
		assert.Equal(t, "12345678", string(partial))
	})
	t.Run("may be cut to its beginning", func(t *testing.T) {
		l := full()
		l.truncate(3)
		assert.Equal(t, []string{"12390", "b"}, feed(t, l, "90\rb\n"))
	})
}
