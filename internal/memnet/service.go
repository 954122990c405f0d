// Package memnet stands in for the network in tests whose time is that of testing/synctest: HTTP transports in memory.
package memnet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Service is an http.RoundTripper whose requests the test answers one by one.
type Service struct{ requests chan *Exchange }

// NewService returns a service that has seen no request.
func NewService() *Service { return &Service{requests: make(chan *Exchange)} }

// Exchange is one request and its response.
type Exchange struct {
	Request *http.Request
	At      time.Time // when the request was made

	response chan *http.Response
	body     *io.PipeWriter // nil before Stream
}

// RoundTrip implements http.RoundTripper. It returns when the test has answered, or the request's context has ended.
func (s *Service) RoundTrip(request *http.Request) (*http.Response, error) {
	e := &Exchange{Request: request, At: time.Now(), response: make(chan *http.Response)}
	ctx := request.Context()
	if ctx.Err() != nil {
		return nil, ctx.Err() // as a real transport, which looks before it dials
	}
	select {
	case s.requests <- e:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case response := <-e.response:
		if response == nil {
			return nil, errors.New("connection refused")
		}
		response.Request = request
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Next returns the next request; nil if there is none for that long.
func (s *Service) Next(longest time.Duration) *Exchange {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case e := <-s.requests:
		return e
	case <-timer.C:
		return nil
	}
}

// Refuse fails the request, as if nobody listened. It returns false if the request was given up before.
func (e *Exchange) Refuse() bool { return e.answer(nil) }

// Answer answers with a status, headers (name, value, ...) and no body. It returns false if the request was given up
// before.
func (e *Exchange) Answer(status int, headers ...string) bool {
	return e.answer(&http.Response{StatusCode: status, Header: header(headers), Body: http.NoBody})
}

// Stream answers with an event stream, whose text is written by Write and ended by Drop. More headers (name, value, ...)
// may follow. It returns false if the request was given up before.
func (e *Exchange) Stream(headers ...string) bool {
	reader, writer := io.Pipe()
	e.body = writer
	ctx := e.Request.Context()
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	h := header(append([]string{"Content-Type", "text/event-stream; charset=utf-8"}, headers...))
	return e.answer(&http.Response{StatusCode: http.StatusOK, Header: h, Body: reader})
}

// Write writes to the stream. It returns when the client has read all of it, or has left.
func (e *Exchange) Write(p []byte) (int, error) { return e.body.Write(p) }

// Drop ends the stream.
func (e *Exchange) Drop() { _ = e.body.Close() }

// Dropped says whether the client has given up the request or the stream.
func (e *Exchange) Dropped() bool { return e.Request.Context().Err() != nil }

func (e *Exchange) answer(response *http.Response) bool {
	select {
	case e.response <- response:
		return true
	case <-e.Request.Context().Done():
		return false
	}
}

func header(pairs []string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}
