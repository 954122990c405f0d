package httpconfig

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/relayconf/relayconf/internal/origin"
)

// roundTripper sees every request, redirected ones included. It adds and removes headers, and limits how long a
// response takes to begin.
type roundTripper struct {
	next          *http.Transport
	userAgent     string
	authorization func() string // nil: none. A function, because printing one shows an address and not the key
	limit         time.Duration // from the call of RoundTrip to its return
}

// RoundTrip implements http.RoundTripper.
func (rt *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	tooSlow := &timeoutError{fmt.Sprintf("no response from %s within %v", req.URL.Host, rt.limit)}
	timer := time.AfterFunc(rt.limit, func() { cancel(tooSlow) })

	var conn net.Conn
	sent := req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn },
	}))
	rt.setHeaders(sent)
	resp, err := rt.next.RoundTrip(sent)

	if !timer.Stop() && context.Cause(ctx) == tooSlow {
		if err == nil {
			_ = resp.Body.Close()
		}
		err = tooSlow
	}
	if err != nil {
		cancel(nil)
		// The transport goes on dialling for a request that was cancelled, in case another can use the connection:
		// for as long as a silent server or proxy pleases. This ends such dials, and leaves live connections alone.
		rt.next.CloseIdleConnections()
		return nil, err
	}
	resp.Request = req // without the headers added here: a key in there would be easy to log
	streamed := &body{ReadCloser: resp.Body, cancel: cancel}
	if resp.ProtoMajor == 1 {
		streamed.conn = watchedUnder(conn) // of HTTP/2, frames of the connection itself would count too
	}
	resp.Body = streamed
	return resp, nil
}

// instanceHeader has the random id of a manager: see internal/stream.
const instanceHeader = "Relayconf-Instance"

// setHeaders makes sure that the key, and the id of the manager, go to the origin and nowhere else. Client has its own rule for that, but it
// lets subdomains and other ports have the key.
func (rt *roundTripper) setHeaders(req *http.Request) {
	if _, set := req.Header["User-Agent"]; !set && rt.userAgent != "" {
		req.Header.Set("User-Agent", rt.userAgent)
	}
	switch {
	case !origin.Kept(req):
		maps.DeleteFunc(req.Header, func(name string, _ []string) bool {
			return strings.EqualFold(name, "Authorization") || strings.EqualFold(name, instanceHeader)
		})
	case rt.authorization != nil && req.Header.Get("Authorization") == "":
		if value := rt.authorization(); value != "" {
			req.Header.Set("Authorization", value)
		}
	}
}

// body ends the request's context when it is closed, and knows when the last byte came, be it of a Read under way.
type body struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
	conn   *watchedConn // nil if each Read returns all bytes that have come
}

// LastByte is when the last byte came on the connection; zero if Reads tell that well enough.
func (b *body) LastByte() time.Time {
	if b.conn == nil {
		return time.Time{}
	}
	return b.conn.lastByte()
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
