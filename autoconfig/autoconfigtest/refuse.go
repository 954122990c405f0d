package autoconfigtest

import (
	"net/http"

	"github.com/relayconf/relayconf/config"
)

// failure is the answer to one request that FailNext ordered.
type failure struct {
	status int
	header http.Header
}

// RejectKeys answers each new request with this status, such as 401 or 403, with any key; 0 stops that. Open
// connections stay: see DropConnections.
func (s *Server) RejectKeys(status int) {
	if status != 0 && !isFinalStatus(status) {
		fail(s.tb, "RejectKeys: %d is not an HTTP status; use 401 or 403, or 0 to stop", status)
		return
	}
	s.watched.update(func() { s.rejectWith = status })
}

// SetKey makes key the only one that is accepted; a request with any other gets status 401. Before, and again for the
// empty key, any key is accepted, but a request without one is not. Open connections stay: see DropConnections.
func (s *Server) SetKey(key config.AutoConfigKey) {
	s.watched.update(func() { s.key = key })
}

// FailNext answers the next n requests with this status and header instead of a stream, with any key. The
// header may be nil. It may be called several times: the failures queue up. Status 200 gives an answer that is no
// stream; a redirect needs a Location.
func (s *Server) FailNext(n, status int, header http.Header) {
	if !isFinalStatus(status) {
		fail(s.tb, "FailNext: %d is not the status of an HTTP response; use 200 to 599", status)
		return
	}
	s.watched.update(func() {
		for range n {
			s.failures = append(s.failures, failure{status: status, header: header.Clone()})
		}
	})
}

// refused answers a request that is to get no stream, and reports whether it did.
func (s *Server) refused(w http.ResponseWriter, r *http.Request) bool {
	var answer failure
	s.watched.update(func() {
		key := config.AutoConfigKey(r.Header.Get("Authorization"))
		switch {
		case len(s.failures) > 0:
			answer, s.failures = s.failures[0], s.failures[1:]
		case s.rejectWith != 0:
			answer.status = s.rejectWith
		case key == "" || s.key != "" && key != s.key:
			answer.status = http.StatusUnauthorized
		}
	})
	if answer.status == 0 {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for name, values := range answer.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(answer.status)
	return true
}

// isFinalStatus reports whether status can be the status of a whole response.
func isFinalStatus(status int) bool { return status >= 200 && status <= 599 }
