//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/stream"
)

// ask is how a relay asks for a stream.
type ask struct {
	gzip     bool
	id       string // of its state; empty if it has none
	instance string // empty: it tells none
	slow     bool   // it has a small receive buffer, and is about to stall
}

// relay is a client, as cheap as can be, so that it leaves the machine to the hub.
type relay struct {
	conn     net.Conn
	bytes    atomic.Int64 // received, with HTTP's own
	response *http.Response
	lines    *bufio.Reader // after decompression

	name, id [64]byte // of the last event
	idLength int
}

// dialing limits how many connections are being opened: beyond the queue of a listener, each would wait for a second.
var dialing = make(chan struct{}, 1000)

// open asks for a stream. A refusal is no error.
func open(address string, a ask) (*relay, error) {
	dialing <- struct{}{}
	conn, err := net.Dial("tcp", address)
	<-dialing
	if err != nil {
		return nil, err
	}
	r := &relay{conn: conn}
	_ = conn.(*net.TCPConn).SetLinger(0) // leave no sockets behind
	if a.slow {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	request := "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: " + key + "\r\n"
	if a.gzip {
		request += "Accept-Encoding: gzip\r\n"
	}
	if a.id != "" {
		request += "Last-Event-ID: " + a.id + "\r\n"
	}
	if a.instance != "" {
		request += stream.InstanceHeader + ": " + a.instance + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	r.response, err = http.ReadResponse(bufio.NewReaderSize(r, 4<<10), nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return r, nil
}

// Read reads from the connection, and counts.
func (r *relay) Read(buffer []byte) (int, error) {
	n, err := r.conn.Read(buffer)
	r.bytes.Add(int64(n))
	return n, err
}

func (r *relay) close() { _ = r.conn.Close() }

// letIn tells whether the response is a stream.
func (r *relay) letIn() bool { return r.response.StatusCode == http.StatusOK }

// delay is how long a relay waits after a refusal, as package autoconfig does; own is its own delay.
func (r *relay) delay(own time.Duration) time.Duration {
	const least = 100 * time.Millisecond
	if exact, err := strconv.ParseFloat(r.response.Header.Get(stream.RetryAfterHeader), 64); err == nil {
		return max(least, time.Duration(exact*float64(time.Second))) + rand.N(least)
	}
	seconds, err := strconv.Atoi(r.response.Header.Get("Retry-After"))
	if err != nil {
		check(fmt.Errorf("status %s without Retry-After", r.response.Status))
	}
	if after := time.Duration(seconds) * time.Second; after > own {
		return after + rand.N(time.Second)
	}
	return own
}

// next reads an event. The stamp is 0 unless the event says when it was made.
func (r *relay) next() (stamp int64, err error) {
	if r.lines == nil {
		body := io.Reader(r.response.Body)
		if r.response.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(body); err != nil {
				return 0, err
			}
		}
		r.lines = bufio.NewReaderSize(body, 4<<10)
	}
	for any, inside := false, false; ; {
		line, err := r.lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		whole := err == nil
		switch {
		case inside: // the rest of a long line
		case whole && len(line) == 1 && any:
			return stamp, nil
		case bytes.HasPrefix(line, []byte("event: ")):
			any = true
			clear(r.name[copy(r.name[:], bytes.TrimSpace(line[len("event: "):])):])
		case bytes.HasPrefix(line, []byte("id: ")):
			r.idLength = copy(r.id[:], bytes.TrimSpace(line[len("id: "):]))
		case whole && bytes.HasPrefix(line, []byte("data: ")):
			any = true
			stamp = stampIn(line)
		}
		inside = !whole
	}
}

// lastID is the id of the last event.
func (r *relay) lastID() string { return string(r.id[:r.idLength]) }

func stampIn(line []byte) (stamp int64) {
	_, after, ok := bytes.Cut(line, []byte(stampStart))
	if !ok {
		return 0
	}
	for _, c := range after {
		if c < '0' || c > '9' {
			break
		}
		stamp = stamp*10 + int64(c-'0')
	}
	return stamp
}

// receive reads so many bytes of the body, without decompressing them.
func (r *relay) receive(bytes int64) error {
	_, err := io.CopyN(io.Discard, r.response.Body, bytes)
	return err
}
