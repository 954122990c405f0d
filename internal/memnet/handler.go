package memnet

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// Serving is an http.RoundTripper whose requests the handler serves, each in a goroutine of its own.
func Serving(handler http.Handler) http.RoundTripper { return serving{handler} }

type serving struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (s serving) RoundTrip(request *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	w := &responseWriter{body: writer, response: make(chan *http.Response, 1)}
	go func() {
		s.handler.ServeHTTP(w, request)
		w.WriteHeader(http.StatusOK)
		_ = writer.Close()
	}()
	context.AfterFunc(request.Context(), func() { _ = reader.Close() })
	response := <-w.response
	response.Request, response.Body = request, reader
	return response, nil
}

// responseWriter is the handler's side of a pipe.
type responseWriter struct {
	header   http.Header
	body     *io.PipeWriter
	response chan *http.Response
	begin    sync.Once
}

// Header implements http.ResponseWriter.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter.
func (w *responseWriter) WriteHeader(status int) {
	w.begin.Do(func() { w.response <- &http.Response{StatusCode: status, Header: w.Header()} })
}

// Write implements http.ResponseWriter.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher. A pipe holds nothing back.
func (w *responseWriter) Flush() { w.WriteHeader(http.StatusOK) }
