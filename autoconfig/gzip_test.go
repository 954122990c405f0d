package autoconfig

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compressed are the headers of a compressed stream.
var compressed = []string{"Content-Encoding", "gzip"}

// zipped is the compressed text of events, each ended by a sync flush.
func zipped(t *testing.T, events ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	for _, event := range events {
		_, err := io.WriteString(w, event)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
	}
	return out.Bytes()
}

func TestGzipEventsAreHandledAsTheyAreFlushed(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("", compressed...)
		w := gzip.NewWriter(e)
		send := func(text string) {
			_, _ = io.WriteString(w, text)
			_ = w.Flush()
			synctest.Wait()
		}
		assert.True(t, r.manager.Status().Compressed)
		send(": hello\n")
		r.wants("keepalive hello")
		send(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		for version := 2; version < 10; version++ {
			send(eventText(PatchEvent, patchEnv("a", version)))
			r.wants("update a")
		}
		_ = w.Close()
		e.drop()
		assert.Equal(t, ErrorKindNetwork, r.manager.Status().LastError.Kind, "an orderly end is an end")
		e = r.service.stream("")
		assert.NotEmpty(t, e.id())
		assert.False(t, r.manager.Status().Compressed)
	})
}

func TestGzipEachEventMayBeAMemberOfItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("", compressed...)
		send := func(text string) {
			w := gzip.NewWriter(e)
			_, _ = io.WriteString(w, text)
			_ = w.Close()
			synctest.Wait()
		}
		send(eventText(PutEvent, put(listedEnv("a", 1))))
		r.wants("add a", "all")
		send(eventText(PatchEvent, patchEnv("a", 2)))
		r.wants("update a")
		e.drop()
		assert.Contains(t, r.manager.Status().LastError.Message, "ended the connection")
	})
}

func TestGzipAStreamThatIsCutAnywhereLosesNothing(t *testing.T) {
	events := []string{eventText(PutEvent, put(listedEnv("a", 1))), eventText(PatchEvent, patchEnv("a", 2))}
	calls := []string{"add a", "all", "update a"}
	first, whole := len(zipped(t, events[0])), zipped(t, events...)
	for cut := range len(whole) + 1 {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(string(whole[:cut]), compressed...)
			e.drop()
			got := r.relay.take()
			// The last bytes of a flush, an empty block, are not needed to understand the text before them.
			switch {
			case cut >= len(whole):
				require.Equal(t, calls, got)
			case cut >= first:
				require.Contains(t, [][]string{calls[:2], calls}, got, "cut at %d", cut)
			default:
				require.Contains(t, [][]string{nil, calls[:2]}, got, "cut at %d", cut)
			}
			require.Equal(t, ErrorKindNetwork, r.manager.Status().LastError.Kind, "cut at %d", cut)
			r.service.stream(string(zipped(t, eventText(PutEvent, put(listedEnv("a", 2), listedEnv("b", 1))))), compressed...)
			r.wantState(StateValid)
			require.Len(t, r.manager.Environments(), 2)
		})
	}
}

func TestGzipADamagedStreamIsDroppedForAFreshPut(t *testing.T) {
	text := zipped(t, eventText(PutEvent, put(listedEnv("a", 1))))
	damaged := func(at int, b byte) string {
		changed := bytes.Clone(text)
		changed[at] = b
		return string(changed)
	}
	for _, test := range []struct{ name, text string }{
		{"not gzip at all", eventText(PutEvent, put())},
		{"another method", damaged(2, 7)},
		{"a block of no known type", damaged(10, 0xff)},
		{"a block of no known type after an event", string(text) + "\xff\xff"},
		{"an end with a wrong checksum", string(text) + "\x01\x00\x00\xff\xff12345678"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream(test.text, compressed...)
				require.True(t, e.Dropped())
				status := r.manager.Status()
				assert.Equal(t, ErrorKindInvalidData, status.LastError.Kind)
				assert.Contains(t, status.LastError.Message, "compressed stream is damaged")
				e = r.service.stream(string(text), compressed...)
				assert.Empty(t, e.id())
				r.wantState(StateValid)
				assert.Len(t, r.manager.Environments(), 1)
			})
		})
	}
	t.Run("any one byte", func(t *testing.T) {
		for at := range text {
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream(damaged(at, ^text[at]), compressed...)
				e.drop()
				r.service.stream(string(text), compressed...)
				r.wantState(StateValid)
				require.Equal(t, "a", string(r.manager.Environments()[0].EnvID), "the byte at %d", at)
			})
		}
	})
}

func TestGzipABombMeetsTheLimits(t *testing.T) {
	const size, limit = 64 << 20, 1 << 20
	for name, line := range map[string]string{"an endless line of data": "data: %s", "endless lines of data": "data: x\n%s", "an endless name": "event: %s"} {
		t.Run(name, func(t *testing.T) {
			filler := strings.Repeat("0", size)
			if strings.Contains(line, "\n") {
				filler = strings.Repeat("data: 0\n", size/8)
			}
			bomb := zipped(t, fmt.Sprintf(line, filler))
			require.Less(t, len(bomb), size/100)
			inBubble(t, func(t *testing.T, r *rig) {
				e := r.service.stream("", compressed...)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _ = e.Write(bomb)
				synctest.Wait()
				runtime.ReadMemStats(&after)
				assert.True(t, e.Dropped())
				assert.Equal(t, ErrorKindInvalidData, r.manager.Status().LastError.Kind)
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*limit))
			}, WithMaxEventSize(limit))
		})
	}
}

func TestRule16RawBytesOfACompressedStreamAreNoSilence(t *testing.T) {
	const timeout = 10 * time.Second
	var unflushed bytes.Buffer
	w := gzip.NewWriter(&unflushed)
	_, _ = io.WriteString(w, eventText(PutEvent, put(listedEnv("a", 1))))
	require.NoError(t, w.Close())
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream("", compressed...)
		for i, b := range unflushed.Bytes() {
			time.Sleep(timeout - 1)
			require.False(t, e.Dropped(), "after %d bytes", i)
			_, _ = e.Write([]byte{b})
			synctest.Wait()
			assert.Equal(t, time.Now(), r.manager.Status().LastActivity)
		}
		r.wants("add a", "all")
		assert.EqualValues(t, 1, r.manager.Status().Connections)
	}, WithReadTimeout(timeout))
	t.Run("and their absence is", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			e := r.service.stream(string(unflushed.Bytes()[:20]), compressed...)
			start := time.Now()
			<-e.Request.Context().Done()
			assert.Equal(t, timeout, time.Since(start))
			synctest.Wait()
			assert.Equal(t, ErrorKindTimeout, r.manager.Status().LastError.Kind)
		}, WithReadTimeout(timeout))
	})
}
