package autoconfigtest

import (
	"net/http"
	"time"
)

// output is one response. Its methods return false when the client is gone.
//
// It does not use eventsource's Encoder, which writes events in a form of its own: a recording is sent as the very
// bytes that were recorded, with their line ends, spacing, and errors.
type output struct {
	writer  http.ResponseWriter
	control *http.ResponseController
	done    <-chan struct{}
}

func (o *output) send(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	if _, err := o.writer.Write(text); err != nil {
		return false
	}
	return o.flush()
}

func (o *output) flush() bool { return o.control.Flush() == nil }

func (o *output) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-o.done:
		return false
	}
}

// hold keeps the connection until the client leaves.
func (o *output) hold(keepAlive time.Duration) {
	if keepAlive <= 0 {
		<-o.done
		return
	}
	for o.pause(keepAlive) && o.send([]byte(":\n")) {
		continue
	}
}
