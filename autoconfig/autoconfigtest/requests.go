package autoconfigtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/relayconf/relayconf/internal/mask"
)

// Request is a request that a Server has seen.
type Request struct {
	Method string
	URL    *url.URL // as the server sees it: path and query, without the host
	Host   string
	Proto  string      // "HTTP/1.1" or "HTTP/2.0"
	Header http.Header // with the key, whole, in Authorization
	Time   time.Time   // when it came
}

// String returns the request in a line, its key masked.
func (r Request) String() string {
	return fmt.Sprintf("%s %s (key %s)", r.Method, r.URL, mask.Key(r.Header.Get("Authorization")))
}

// Requests returns every request so far, refused ones too, in the order in which they came. They are copies.
func (s *Server) Requests() []Request {
	var requests []Request
	s.watched.read(func() { requests = slices.Clone(s.requests) })
	for i := range requests {
		requests[i].URL = new(*requests[i].URL)
		requests[i].Header = requests[i].Header.Clone()
	}
	return requests
}

// Connections returns how many connections have succeeded so far, those that have ended since included.
func (s *Server) Connections() int {
	var n int
	s.watched.read(func() { n = s.connections })
	return n
}

// OpenConnections returns how many connections are open now.
func (s *Server) OpenConnections() int {
	var n int
	s.watched.read(func() { n = s.open })
	return n
}

// WaitForConnections waits until n connections have succeeded since the start, and fails the test if that takes longer
// than the timeout. What is published after it reaches the n-th connection, if that is still open.
func (s *Server) WaitForConnections(n int, timeout time.Duration) {
	if !s.watched.wait(timeout, func() bool { return s.connections >= n }) {
		fail(s.tb, "connection %d did not come within %v; seen so far: %d connections, requests %v",
			n, timeout, s.Connections(), s.Requests())
	}
}

// WaitForOpenConnections waits until exactly n connections are open, and fails the test if that takes longer than the
// timeout. With 0 it proves that a client has let go.
func (s *Server) WaitForOpenConnections(n int, timeout time.Duration) {
	if !s.watched.wait(timeout, func() bool { return s.open == n }) {
		fail(s.tb, "%d connections are open after %v, not %d", s.OpenConnections(), timeout, n)
	}
}

func (s *Server) noteRequest(r *http.Request) {
	request := Request{
		Method: r.Method,
		URL:    new(*r.URL),
		Host:   r.Host,
		Proto:  r.Proto,
		Header: r.Header.Clone(),
		Time:   time.Now(),
	}
	s.watched.update(func() { s.requests = append(s.requests, request) })
}
