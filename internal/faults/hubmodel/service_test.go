package hubmodel

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// service is the origin of the configuration. It has no ids: each connection begins with a put.
type service struct {
	*http.Server
	*pipes

	mu      sync.Mutex
	conf    configuration
	streams map[chan string]struct{}
	down    bool
}

func newService() *service {
	s := &service{conf: configuration{}, streams: map[chan string]struct{}{}}
	s.Server, s.pipes = serve(s)
	return s
}

// ServeHTTP serves the stream.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	events := make(chan string, 1000)
	events <- s.put()
	s.streams[events] = struct{}{}
	s.mu.Unlock()
	defer s.leave(events)
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		select {
		case event, ok := <-events:
			if !ok {
				return
			}
			_, _ = fmt.Fprint(w, event)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (s *service) leave(events chan string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, events)
}

// put is called with the lock.
func (s *service) put() string {
	var items []string
	for _, id := range slices.Sorted(maps.Keys(s.conf)) {
		if k := s.conf[id]; !k.deleted {
			items = append(items, fmt.Sprintf("%q:%s", id, k.text(id)))
		}
	}
	return fmt.Sprintf("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{%s}}}\n\n", strings.Join(items, ","))
}

// change changes the configuration, and sends the event that the change returns; a put, if it returns "".
func (s *service) change(change func() (event string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	event := change()
	if event == "" {
		event = s.put()
	}
	s.send(event)
}

func (s *service) send(event string) {
	for events := range s.streams {
		events <- event
	}
}

// setDown ends all streams, and refuses new ones, or lets them in again.
func (s *service) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	for events := range s.streams {
		close(events)
		delete(s.streams, events)
	}
}
