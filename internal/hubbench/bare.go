//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// bare is the limit: it writes the bytes that come from upstream to each connection, in a loop, and knows nothing of
// their meaning. Newcomers get the first event, compressed once for all if they accept that.
type bare struct {
	mu          sync.Mutex
	put, zipped []byte // whole responses
	connections []net.Conn
}

func newBare(options serverOptions) contender {
	b := &bare{}
	response, err := http.Get("http://" + options.upstream)
	check(err)
	go func() {
		reader := bufio.NewReaderSize(response.Body, 64<<10)
		var put []byte
		for !bytes.HasSuffix(put, []byte("\n\n")) {
			line, err := reader.ReadBytes('\n')
			check(err)
			put = append(put, line...)
		}
		b.begin(put)
		buffer := make([]byte, 64<<10)
		for {
			n, err := reader.Read(buffer)
			if err != nil {
				return
			}
			b.mu.Lock()
			for _, c := range b.connections {
				_, _ = c.Write(buffer[:n])
			}
			b.mu.Unlock()
		}
	}()
	return b
}

// begin keeps the responses.
func (b *bare) begin(put []byte) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	zipped := bytes.NewBufferString(header + "Content-Encoding: gzip\r\n\r\n")
	w := gzip.NewWriter(zipped)
	_, _ = w.Write(put) // it writes to memory
	check(w.Flush())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put, b.zipped = append([]byte(header+"\r\n"), put...), zipped.Bytes()
}

func (b *bare) serve(listener net.Listener) {
	for {
		c, err := listener.Accept()
		check(err)
		go b.answer(c)
	}
}

func (b *bare) answer(c net.Conn) {
	var request bytes.Buffer
	part := make([]byte, 1024)
	for !bytes.HasSuffix(request.Bytes(), []byte("\r\n\r\n")) {
		n, err := c.Read(part)
		if err != nil {
			_ = c.Close()
			return
		}
		request.Write(part[:n])
	}
	response := b.put
	if strings.Contains(request.String(), "Accept-Encoding: gzip") {
		response = b.zipped
	}
	_, _ = c.Write(response)
	b.mu.Lock()
	b.connections = append(b.connections, c)
	b.mu.Unlock()
	_, _ = io.Copy(io.Discard, c) // until the relay leaves
	_ = c.Close()
}

func (b *bare) ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.put != nil
}

func (b *bare) relays() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.connections)
}

func (b *bare) dropped() int { return 0 }

// connections counts those of an http.Server.
type connections struct{ open, closed atomic.Int64 }

func (c *connections) state(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.open.Add(1)
	case http.StateClosed:
		c.open.Add(-1)
		c.closed.Add(1)
	}
}
