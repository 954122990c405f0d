package hub

import (
	"io"
	"net/http"
	"time"
)

// sink is where the bytes of a stream go.
type sink interface {
	io.Writer // it may keep the bytes until Flush
	Flush() error
	SetWriteDeadline(time.Time) error
}

// response is a sink for every kind of connection, and for the ResponseWriters of middleware.
type response struct {
	http.ResponseWriter
	*http.ResponseController
}

func newResponse(w http.ResponseWriter) response {
	return response{w, http.NewResponseController(w)}
}
