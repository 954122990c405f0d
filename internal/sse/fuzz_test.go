package sse

import (
	"bytes"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func addSeeds(f *testing.F, add func(stream string)) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(f, err)
	add(string(captured))
	add(string(bytes.ReplaceAll(captured, []byte("\n"), []byte("\r\n"))))
	for _, rule := range rules {
		add(rule.stream)
	}
}

// FuzzReaderChunking: what a stream says does not depend on how it is cut into reads, nor on the size of the buffers
// unless a comment or a name is cut; and no event exceeds the limit.
func FuzzReaderChunking(f *testing.F) {
	addSeeds(f, func(stream string) { f.Add(stream, uint8(0), uint64(1)) })
	f.Add("event:put\ndata:"+counting(100)+"\ndata:"+strings.Repeat(":", 100)+"\n\n", uint8(230), uint64(1))
	f.Add(":"+counting(100)+"\nfoo:"+counting(100)+"\n\n", uint8(101), uint64(2))

	f.Fuzz(func(t *testing.T, stream string, limit uint8, seed uint64) {
		for _, s := range []sizes{defaultSizes, tiny} {
			whole := readStory(newReader(oneRead(stream), int(limit), protocol, s))
			assert.Equal(t, whole, readStory(newReader(iotest.OneByteReader(oneRead(stream)), int(limit), protocol, s)), "byte by byte")
			assert.Equal(t, whole, readStory(newReader(newDribble(stream, 8, seed), int(limit), protocol, s)), "small reads")
			assert.Equal(t, whole, readStory(newReader(newDribble(stream, 80, seed), int(limit), protocol, s)), "larger reads")
			assert.Contains(t, []error{io.EOF, io.ErrUnexpectedEOF, ErrTooLarge}, whole.err)
		}

		if !hasLineToCut(stream, tiny.kept) {
			assert.Equal(t, readStory(newReader(oneRead(stream), int(limit), protocol, defaultSizes)),
				readStory(newReader(oneRead(stream), int(limit), protocol, tiny)), "small buffers")
		}

		r := newReader(oneRead(stream), int(limit), protocol, tiny)
		for item, err := r.Next(); err == nil && limit > 0; item, err = r.Next() {
			if item.Kind == Event {
				assert.LessOrEqual(t, len(item.Data), int(limit))
			}
		}
	})
}

// hasLineToCut says whether there is a line, other than a data line, of which not all may be kept.
func hasLineToCut(stream string, kept int) bool {
	lines := strings.FieldsFunc(stream, func(c rune) bool { return c == '\n' || c == '\r' })
	return slices.ContainsFunc(lines, func(line string) bool { return len(line) > kept && !strings.HasPrefix(line, "data:") })
}

// FuzzReaderMatchesEventsource compares the reader with eventsource's decoder. They differ by design in these:
//
//   - A byte order mark: the decoder takes it for a part of the first name, the standard drops it. It is left out of
//     what the decoder gets.
//   - Line ends: at the end of a read, the decoder looks at a stale byte to tell whether it has seen a CR, and can then
//     lose a blank line. It gets LF only, the reader gets the stream as it is.
//   - Comments: the decoder drops them.
//   - An event without a data line: the decoder returns it, with empty data; the standard drops it. As the decoder does
//     not tell it from an event whose data is empty, those are left out of both. TestRules covers them.
//   - The name of an event without one: empty for the decoder, "message" for the reader.
//   - A retry field: the decoder returns the last one along with its event, if there is one, and allows a sign; the
//     reader returns each at once. A number too large for a Duration is the largest. The decoder also takes for the
//     largest whatever begins with too many digits, so those are left out.
//   - Ids: the reader ignores them.
//   - The end inside a line: for the decoder, a line counts for the difference between io.EOF and io.ErrUnexpectedEOF
//     once it has ended; for the reader, as soon as it has begun and is no comment.
func FuzzReaderMatchesEventsource(f *testing.F) {
	addSeeds(f, func(stream string) { f.Add(stream) })
	f.Fuzz(func(t *testing.T, stream string) {
		got, gotRetries := ourStory(NewReader(oneRead(stream), 0, protocol))

		plain := strings.TrimPrefix(stream, string(bom))
		plain = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(plain)
		want, wantRetries := theirStory(eventsource.NewDecoder(oneRead(plain)))

		lastLine := plain[strings.LastIndexByte(plain, '\n')+1:]
		if lastLine != "" && lastLine[0] != ':' && stream != string(bom[:1]) && stream != string(bom[:2]) {
			want.err = io.ErrUnexpectedEOF
		}
		assert.Equal(t, want, got)
		if !strings.Contains(stream, "+") {
			assertInOrder(t, gotRetries, wantRetries)
		}
	})
}

func ourStory(r *Reader) (s story, retries []time.Duration) {
	for {
		item, err := r.Next()
		switch {
		case err != nil:
			s.err = err
			return s, retries
		case item.Kind == Event && len(item.Data) > 0:
			s.items = append(s.items, describe(item))
		case item.Kind == Retry:
			retries = append(retries, item.Retry)
		}
	}
}

func theirStory(d *eventsource.Decoder) (s story, retries []time.Duration) {
	for {
		decoded, err := d.Decode()
		if err != nil {
			s.err = err
			return s, retries
		}
		if decoded.Data() != "" {
			name := decoded.Event()
			if name == "" {
				name = "message"
			}
			s.items = append(s.items, event(name, decoded.Data()))
		}
		// Zero is what the decoder returns if there was no retry field, or a bad one; a negative one is bad for the
		// reader.
		millis := decoded.(interface{ Retry() int64 }).Retry()
		if millis == math.MaxInt64 {
			continue
		}
		if millis > math.MaxInt64/int64(time.Millisecond) {
			retries = append(retries, math.MaxInt64)
		} else if millis > 0 {
			retries = append(retries, time.Duration(millis)*time.Millisecond)
		}
	}
}

// assertInOrder asserts that all holds every one of some, in that order.
func assertInOrder(t *testing.T, all, some []time.Duration) {
	rest := all
	for _, one := range some {
		for len(rest) > 0 && rest[0] != one {
			rest = rest[1:]
		}
		if !assert.NotEmpty(t, rest, "%v should hold %v in that order", all, some) {
			return
		}
		rest = rest[1:]
	}
}
