package autoconfigtest

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/launchdarkly/eventsource"
)

// The channels of the eventsource server: one for each protocol version. Filters go to filterChannel only.
const (
	plainChannel  = "1"
	filterChannel = "2"
)

var (
	allChannels     = []string{plainChannel, filterChannel}
	filtersChannels = []string{filterChannel}
)

// stream serves one connection.
//
// The state to replay and the events that follow it must fit together: a put that is published at the moment when a
// connection comes must be in its replay or in its queue, not in neither and not in both. eventsource subscribes in
// its own goroutine and calls Replay there, so order is taken here, before it subscribes, and given back in Replay.
// Publishing takes it too. No published change can come between the subscription and its replay.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	s.order.Lock()
	if s.closed {
		s.order.Unlock()
		http.Error(w, "the service was closed", http.StatusServiceUnavailable)
		return
	}
	s.streams.Add(1)
	defer s.streams.Done()
	defer s.watched.update(func() { s.open-- })
	s.subscribed = make(chan struct{})
	s.events.Handler(channelOf(r))(&streamWriter{ResponseWriter: w, subscribed: s.subscribed}, r)
}

// channelOf picks the channel for the protocol version that a client asks for.
func channelOf(r *http.Request) string {
	if v, err := strconv.Atoi(r.URL.Query().Get("rpacProtocolVersion")); err == nil && v >= 2 {
		return filterChannel
	}
	return plainChannel
}

// replayer is the eventsource.Repository of a Server. Its method is not for users of the Server.
type replayer struct{ server *Server }

// Replay returns the put for a connection that has just been subscribed, and gives back the lock that stream took.
func (p replayer) Replay(channel, _ string) chan eventsource.Event {
	s := p.server
	defer s.order.Unlock()
	s.watched.update(func() { s.connections++; s.open++ })
	close(s.subscribed)
	if !s.view.known {
		return nil
	}
	events := make(chan eventsource.Event, 1)
	events <- putEvent(s.view.content(channel == filterChannel))
	close(events)
	return events
}

// register gives eventsource the puts to replay. The caller holds order, or is the only one yet.
func (s *Server) register() {
	for _, channel := range allChannels {
		s.events.Register(channel, replayer{s})
	}
}

// unregister ends all connections, once they have sent all earlier events. The caller holds order.
func (s *Server) unregister() {
	for _, channel := range allChannels {
		s.events.Unregister(channel, true)
	}
}

// rawMarker is how Raw gets past eventsource's encoder: raw text travels as a comment, so that it keeps its place
// among the events, and the encoder hands a comment to the writer in one piece, as ":", text, LF. No service sends a
// comment that begins like this one.
const rawMarker = "\x00raw\x00"

// streamWriter unwraps raw text, and keeps the response from the client until the connection counts.
type streamWriter struct {
	http.ResponseWriter
	subscribed <-chan struct{}
}

func (w *streamWriter) Write(p []byte) (int, error) {
	if text, isRaw := bytes.CutPrefix(p, []byte(":"+rawMarker)); isRaw {
		_, err := w.ResponseWriter.Write(bytes.TrimSuffix(text, []byte("\n")))
		return len(p), err
	}
	return w.ResponseWriter.Write(p)
}

// Flush makes this an http.Flusher, which eventsource wants. It flushes first when it has asked for a subscription.
func (w *streamWriter) Flush() {
	<-w.subscribed
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}
