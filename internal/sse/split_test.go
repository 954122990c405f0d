package sse

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readParts is readStory with the parts of each event joined.
func readParts(r *Reader) (s story, parts int) {
	begun := ""
	for {
		item, err := r.Next()
		if err != nil {
			s.err = err
			return s, parts
		}
		if item.More {
			parts++
			begun += string(item.Data)
			continue
		}
		if item.Kind == Event {
			item.Data = []byte(begun + string(item.Data))
			begun = ""
		}
		s.items = append(s.items, describe(item))
	}
}

func split(stream string, most int, s sizes) *Reader {
	r := newReader(newDribble(stream, most, 1), 0, splitPuts, s)
	return r
}

func TestLargeEventsComeInParts(t *testing.T) {
	long := counting(1000)
	for _, test := range []struct {
		rule   string
		stream string
		parts  bool
		want   []string
	}{
		{"a long line", "event:put\ndata:" + long + "\n\ndata:a\n\n", true, []string{event("put", long), event("message", "a")}},
		{"with more lines after it", "event:put\ndata: " + long + "\ndata:b\ndata:" + long + "\n\n", true, []string{event("put", long+"\nb\n"+long)}},
		{"with a comment and a retry after it", "event:put\ndata:" + long + "\n:c\nretry:1\n\n", true, []string{comment("c"), retry("1ms"), event("put", long)}},
		{"a name that comes too late", "event:put\ndata:" + long + "\nevent:patch\n\n", true, []string{event("put", long)}},
		{"not in parts: another name", "event:patch\ndata:" + long + "\n\n", false, []string{event("patch", long)}},
		{"not in parts: the name comes after the data", "data:" + long + "\nevent:put\n\n", false, []string{event("put", long)}},
		{"not in parts: a short first line", "event:put\ndata:a\ndata:" + long + "\n\n", false, []string{event("put", "a\n"+long)}},
		{"not in parts: a long line of another field", "event:put\nfoo:" + long + "\ndata:a\n\n", false, []string{event("put", "a")}},
		{"not in parts: a short event", "event:put\ndata:a\n\n", false, []string{event("put", "a")}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			for _, most := range []int{1, 7, 1000} {
				got, parts := readParts(split(test.stream, most, tiny))
				assert.Equal(t, story{test.want, io.EOF}, got)
				assert.Equal(t, test.parts, parts > 0)
			}
		})
	}
}

func TestAnEventInPartsIsCutOffOrTooLarge(t *testing.T) {
	got, parts := readParts(split("event:put\ndata:"+counting(100), 7, tiny))
	assert.Equal(t, story{nil, io.ErrUnexpectedEOF}, got)
	assert.Positive(t, parts)

	r := newReader(oneRead("event:put\ndata:"+counting(100)+"\n\n"), 90, splitPuts, tiny)
	got, _ = readParts(r)
	assert.Equal(t, story{nil, ErrTooLarge}, got)
}

func FuzzSplit(f *testing.F) {
	addSeeds(f, func(stream string) { f.Add(stream, uint64(1)) })
	f.Add("event:put\ndata:"+counting(100)+"\ndata:"+counting(100)+"\n\nevent:put\ndata:"+counting(50)+"\n\n", uint64(2))
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		if strings.Count(stream, "event") > strings.Count(stream, "\n\n") {
			return // more names than events: one may come too late
		}
		r := newReader(newDribble(stream, 30, seed), 0, splitPuts, tiny)
		got, parts := readParts(r)
		if parts > 0 && strings.Count(stream, "event") > 1 {
			return // the same
		}
		assert.Equal(t, readStory(newReader(oneRead(stream), 0, Names{}, tiny)), got)
	})
}

func TestAHugeEventInPartsTakesNoMoreThanTheBuffer(t *testing.T) {
	src := io.MultiReader(strings.NewReader("event:put\n"), &hugeThenIdle{})
	r := NewReader(src, 256<<20, splitPuts)
	before := memory()
	size := 0
	for {
		item, err := r.Next()
		require.NoError(t, err)
		size += len(item.Data)
		if !item.More {
			break
		}
	}
	assert.Equal(t, hugeSize-len("data:"), size)
	assert.Less(t, memory().TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestAPartStaysValidWhileTheNextIsRead(t *testing.T) {
	long := counting(1000)
	r := split("event:put\ndata:"+long+"\n\ndata:a\n\n", 7, tiny)
	var before, joined string
	var part []byte
	for more := true; more; {
		item, err := r.Next()
		require.NoError(t, err)
		assert.Equal(t, before, string(part), "the part before, after the next was read")
		part, before, more = item.Data, string(item.Data), item.More
		joined += before
	}
	assert.Equal(t, long, joined)
}

func TestReadyReturnsOnlyWhatHasCome(t *testing.T) {
	reader, writer := io.Pipe()
	r := NewReader(reader, 0, protocol)
	go func() {
		_, _ = io.WriteString(writer, "data:a\n\n:b\ndata:c\n\nda")
		_, _ = io.WriteString(writer, "ta:d\n\n")
		_ = writer.Close()
	}()
	require.Equal(t, event("message", "a"), next(t, r))
	for _, want := range []string{comment("b"), event("message", "c")} {
		item, ok := r.Ready()
		require.True(t, ok)
		assert.Equal(t, want, describe(item))
	}
	_, ok := r.Ready()
	assert.False(t, ok)
	require.Equal(t, event("message", "d"), next(t, r))
}

func TestAnIdleStreamGivesTheBufferBack(t *testing.T) {
	stream := "data:" + counting(1000) + "\n\n"
	r := newReader(io.MultiReader(strings.NewReader(stream), strings.NewReader(":idle\n"), strings.NewReader("data:a\n\n")), 0, protocol, tiny)
	require.Equal(t, event("message", counting(1000)), next(t, r))
	require.Equal(t, comment("idle"), next(t, r))
	require.Equal(t, event("message", "a"), next(t, r))
	assert.LessOrEqual(t, len(r.lines.buf), 2*tiny.minBuf+8)
	runtime.KeepAlive(r)
}

func TestAnIdleStreamGivesTheBufferOfAPartBack(t *testing.T) {
	r := split("event:put\ndata:"+counting(1000)+"\n\n:idle\n:idle\n", 7, tiny)
	for {
		if item, err := r.Next(); err != nil || item.Kind == Comment {
			require.NoError(t, err)
			break
		}
	}
	require.NotNil(t, r.lines.spare)
	require.Equal(t, comment("idle"), next(t, r)) // the first one may come with bytes that follow
	assert.Nil(t, r.lines.spare)
}
