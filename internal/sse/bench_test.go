package sse

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/launchdarkly/eventsource"
)

// BenchmarkReader compares the reader with eventsource's decoder and, over loopback HTTP, with a bare read.
func BenchmarkReader(b *testing.B) {
	b.Run("many small events", func(b *testing.B) {
		const events = 100_000
		stream := strings.Repeat("event: patch\ndata: "+strings.Repeat("x", 340)+"\n\n", events)
		inMemory(b, stream, "relayconf", readAll, events)
		inMemory(b, stream, "eventsource", decodeAll, events)
	})
	b.Run("comments only", func(b *testing.B) {
		const comments = 1_000_000
		stream := strings.Repeat(":keepalive\n\n", comments)
		inMemory(b, stream, "relayconf", readAll, comments)
		inMemory(b, stream, "eventsource", decodeAll, 0)
	})
	b.Run("ten million data lines", func(b *testing.B) {
		inMemory(b, strings.Repeat("data:x\n", 10_000_000)+"\n", "relayconf", readAll, 1)
	})
	// The decoder's time grows with the square of the number of lines: ten million would take it hours.
	b.Run("fifty thousand data lines", func(b *testing.B) {
		stream := strings.Repeat("data:x\n", 50_000) + "\n"
		inMemory(b, stream, "relayconf", readAll, 1)
		inMemory(b, stream, "eventsource", decodeAll, 1)
	})
	b.Run("one event of 34 MB", func(b *testing.B) {
		stream := hugeEvent()
		inMemory(b, stream, "relayconf", readAll, 1)
		inMemory(b, stream, "eventsource", decodeAll, 1)
	})
	b.Run("one event of 34 MB over loopback HTTP", func(b *testing.B) {
		stream := []byte(hugeEvent())
		overHTTP(b, stream, "relayconf", func(r io.Reader) int { return readAll(r) })
		overHTTP(b, stream, "eventsource", func(r io.Reader) int { return decodeAll(r) })
		buf := make([]byte, defaultSizes.maxBuf)
		overHTTP(b, stream, "wire", func(r io.Reader) int {
			for {
				if _, err := r.Read(buf); err != nil {
					return 1
				}
			}
		})
	})
}

func hugeEvent() string {
	const environment = `"5f1b0c7e0000000000000001":{"envID":"5f1b0c7e0000000000000001","envKey":"production"},`
	return "event: put\ndata: " + strings.Repeat(environment, 34_000_000/len(environment)) + "\n\n"
}

// readAll and decodeAll return the number of items.
func readAll(src io.Reader) (items int) {
	r := NewReader(src, 256<<20, protocol)
	for {
		if _, err := r.Next(); err != nil {
			return items
		}
		items++
	}
}

func decodeAll(src io.Reader) (items int) {
	d := eventsource.NewDecoder(src)
	for {
		if _, err := d.Decode(); err != nil {
			return items
		}
		items++
	}
}

func inMemory(b *testing.B, stream, name string, read func(io.Reader) int, want int) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		for b.Loop() {
			// The bare interface: no shortcuts by WriterTo or ByteReader.
			if got := read(struct{ io.Reader }{strings.NewReader(stream)}); got != want {
				b.Fatalf("read %d items, want %d", got, want)
			}
		}
	})
}

func overHTTP(b *testing.B, stream []byte, name string, read func(io.Reader) int) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush() // so that the body is chunked, as that of a stream is
		_, _ = io.Copy(w, bytes.NewReader(stream))
	}))
	defer server.Close()
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		for b.Loop() {
			if err := get(server.URL, read); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func get(url string, read func(io.Reader) int) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if items := read(response.Body); items != 1 {
		return fmt.Errorf("read %d items, want 1", items)
	}
	return nil
}
