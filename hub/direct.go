package hub

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"syscall"
	"time"
)

// direct is a connection that was taken over from net/http, and a sink for a response in the chunks of HTTP/1.1. Events
// can be written to many such connections without waking a goroutine for each: see fanOut.
type direct struct {
	conn   net.Conn
	to     io.Writer       // writes to conn
	raw    syscall.RawConn // to write without waiting; nil if that is not possible
	unsent []byte          // bytes that come first: the header, or the rest of a chunk
	chunk  []byte          // a chunk that is being made; nil if it is empty
	left   chan struct{}   // closed when the connection is no longer read
}

// takeOver takes the connection of a request over from net/http. It returns nil if the response has to go through w:
// with HTTP/2, HTTP/1.0 and TLS, over connections other than of TCP and Unix sockets, and if middleware has wrapped w,
// which may want to see or change the bytes.
func takeOver(w http.ResponseWriter, request *http.Request) *direct {
	if !request.ProtoAtLeast(1, 1) || request.ProtoMajor > 1 || request.TLS != nil || !fromServer(w) {
		return nil
	}
	switch request.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr, *net.UnixAddr:
	default:
		return nil // it could not be written to without waiting, so there is nothing to gain
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	d := &direct{conn: conn, left: make(chan struct{})}
	d.to, d.raw = plainConn(conn)
	if buffered.Reader.Buffered() > 0 {
		close(d.left) // see watch
	}
	return d
}

// fromServer tells whether a ResponseWriter is that of an http.Server itself.
func fromServer(w http.ResponseWriter) bool {
	t := reflect.TypeOf(w)
	return t.Kind() == reflect.Pointer && t.Elem().PkgPath() == reflect.TypeFor[http.Server]().PkgPath()
}

// plainConn returns how to write to a connection, and, if possible, how to do so without waiting. A type that embeds a
// TCP connection may have a Write of its own, which must see all bytes. A type that just passes them on may have a method
// PlainConn, which returns the connection that it passes them to.
func plainConn(conn net.Conn) (io.Writer, syscall.RawConn) {
	plain := conn
	if wrapper, ok := conn.(interface{ PlainConn() net.Conn }); ok {
		plain = wrapper.PlainConn()
	}
	switch plain := plain.(type) {
	case *net.TCPConn:
		return plain, canWriteNow(plain.SyscallConn())
	case *net.UnixConn:
		return plain, canWriteNow(plain.SyscallConn())
	}
	return struct{ io.Writer }{conn}, nil // nothing but Write, not even for net.Buffers
}

// responseHead is the status line and the header of a stream.
func responseHead(header http.Header) []byte {
	header = header.Clone()
	header.Del("Content-Length")
	header.Set("Transfer-Encoding", "chunked")
	header.Set("Connection", "close") // it ends with the stream
	if header.Get("Date") == "" {
		header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(head) // it writes to memory
	head.WriteString("\r\n")
	return head.Bytes()
}

// watch calls leave when the client closes the connection. A client that sends anything, which it has no reason to, is
// noticed only by a write that fails, as by net/http.
func (d *direct) watch(leave context.CancelFunc) {
	if isClosed(d.left) {
		return
	}
	go func() {
		defer close(d.left)
		var b [1]byte
		if n, err := d.conn.Read(b[:]); n == 0 && err != nil {
			leave()
		}
	}()
}

// largeWrite is how many bytes are worth a chunk of their own rather than a copy.
const largeWrite = 16 << 10

// Write adds bytes to the chunk that is being made, or sends at most maxWrite of them at once.
func (d *direct) Write(p []byte) (int, error) {
	if len(p) < largeWrite {
		if d.chunk == nil {
			d.chunk = newChunk(len(p))
		}
		d.chunk = append(d.chunk, p...)
		if len(d.chunk) < largeWrite {
			return len(p), nil
		}
		return len(p), d.Flush()
	}
	if err := d.Flush(); err != nil {
		return 0, err
	}
	return len(p), d.send([]byte(strconv.FormatInt(int64(len(p)), 16)+"\r\n"), p, []byte("\r\n"))
}

// Flush sends all that there is.
func (d *direct) Flush() error {
	if d.chunk == nil {
		return d.send()
	}
	chunk := endChunk(d.chunk)
	d.chunk = nil // an idle relay has no use for the memory
	return d.send(chunk)
}

func (d *direct) send(buffers ...[]byte) error {
	var all net.Buffers
	if len(d.unsent) > 0 {
		all = append(all, d.unsent)
		d.unsent = nil
	}
	all = append(all, buffers...)
	_, err := all.WriteTo(d.to)
	return err
}

// writeNow writes as much of a chunk as is possible without waiting. The rest is for Flush.
func (d *direct) writeNow(chunk []byte) (whole bool, err error) {
	n, err := writeNow(d.raw, chunk)
	d.unsent = chunk[n:]
	return len(d.unsent) == 0, err
}

func (d *direct) SetWriteDeadline(t time.Time) error { return d.conn.SetWriteDeadline(t) }

// close closes the connection, and returns when it is no longer read. The end of a response in order may take a time.
func (d *direct) close(inOrder bool, longest time.Duration) {
	if inOrder {
		_ = d.SetWriteDeadline(time.Now().Add(longest))
		_ = d.send([]byte("0\r\n\r\n"))
	}
	_ = d.conn.Close()
	<-d.left
}

// chunkHead is space for the length of a chunk, at most 64 KiB.
const chunkHead = len("10000\r\n")

// newChunk returns an empty chunk to append to.
func newChunk(size int) []byte {
	return make([]byte, chunkHead, chunkHead+size+len(idLine)+len("\r\n"))
}

// endChunk returns the bytes of a chunk, as they go over the wire.
func endChunk(chunk []byte) []byte {
	var space [chunkHead]byte
	head := append(strconv.AppendInt(space[:0], int64(len(chunk)-chunkHead), 16), "\r\n"...)
	start := chunkHead - len(head)
	copy(chunk[start:], head)
	return append(chunk, "\r\n"...)[start:]
}
