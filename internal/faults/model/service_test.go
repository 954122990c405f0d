package model

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// service stands in for the network: a transport whose requests the player answers, so that time can be that of
// testing/synctest.
type service struct{ requests chan *exchange }

func newService() *service { return &service{requests: make(chan *exchange)} }

// exchange is one request and its response.
type exchange struct {
	request  *http.Request
	response chan *http.Response
	body     *io.PipeWriter
}

// RoundTrip implements http.RoundTripper.
func (s *service) RoundTrip(request *http.Request) (*http.Response, error) {
	e := &exchange{request: request, response: make(chan *http.Response)}
	ctx := request.Context()
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

// next waits for the next request; nil if there is none for that long.
func (s *service) next(longest time.Duration) *exchange {
	select {
	case e := <-s.requests:
		return e
	case <-time.After(longest):
		return nil
	}
}

func (e *exchange) fail(a answer) {
	if a.status == 0 {
		e.response <- nil
		return
	}
	header := http.Header{}
	if a.status != http.StatusOK {
		header.Set("Content-Type", "text/event-stream") // the status alone makes it a failure
	}
	e.response <- &http.Response{StatusCode: a.status, Header: header, Body: http.NoBody}
}

func (e *exchange) stream() {
	reader, writer := io.Pipe()
	e.body = writer
	context.AfterFunc(e.request.Context(), func() { _ = writer.CloseWithError(context.Canceled) })
	e.response <- &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"text/event-stream"}},
		Body:       reader,
	}
}

// send is over when the manager has read it all, or has left.
func (e *exchange) send(text string) { _, _ = io.WriteString(e.body, text) }
