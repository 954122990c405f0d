package sse

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// story is what a reader makes of a stream: a line for each item, and the error in the end.
type story struct {
	items []string
	err   error
}

func event(name, data string) string { return fmt.Sprintf("event %q %q", name, data) }
func comment(text string) string     { return fmt.Sprintf("comment %q", text) }
func retry(duration string) string   { return "retry " + duration }

func describe(item Item) string {
	switch item.Kind {
	case Event:
		return event(item.Name, string(item.Data))
	case Comment:
		return comment(string(item.Data))
	case Retry:
		return retry(item.Retry.String())
	}
	return fmt.Sprintf("unknown kind %d", item.Kind)
}

func readStory(r *Reader) (s story) {
	for {
		item, err := r.Next()
		if err != nil {
			s.err = err
			return s
		}
		s.items = append(s.items, describe(item))
	}
}

// dribble cuts what it reads from into reads of random sizes, some of them empty. The last bytes come with the error.
type dribble struct {
	rest   string
	most   int // the bytes of one read
	err    error
	random *rand.Rand
}

func newDribble(stream string, most int, seed uint64) *dribble {
	return &dribble{rest: stream, most: most, err: io.EOF, random: rand.New(rand.NewPCG(seed, 0))}
}

func (d *dribble) Read(p []byte) (int, error) {
	n := min(d.random.IntN(d.most+1), len(p), len(d.rest))
	copy(p, d.rest[:n])
	d.rest = d.rest[n:]
	if d.rest == "" {
		return n, d.err
	}
	return n, nil
}

// next fails the test if there is no item.
func next(t *testing.T, r *Reader) string {
	t.Helper()
	item, err := r.Next()
	require.NoError(t, err)
	return describe(item)
}

// tiny makes a few dozen bytes walk the ways of a few hundred kilobytes.
var tiny = sizes{minBuf: 4, maxBuf: 24, kept: 16}

// counting returns n bytes that differ from place to place, so that a part that is missing or out of place shows.
func counting(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprint(&b, i, ",")
	}
	return b.String()[:n]
}

func oneRead(stream string) io.Reader { return strings.NewReader(stream) }

// protocol has names as the manager passes them in; splitPuts splits puts, too.
var (
	protocol  = Names{Known: []string{"put", "patch", "delete", "reconnect"}, Bare: "reconnect"}
	splitPuts = Names{Split: "put"}
)
