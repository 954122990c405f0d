package autoconfigtest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/launchdarkly/eventsource"

	"github.com/relayconf/relayconf/config"
)

// streamPath ends the path of every auto-configuration stream.
const streamPath = "/relay_auto_config"

// maxBehind is how many events and comments a client may be behind before eventsource drops it. A test that is slow
// must not lose its connection for that.
const maxBehind = 1 << 14

// Server is an auto-configuration service on loopback that a test scripts. To each new connection it sends the whole
// configuration, if there is one yet, and then the changes.
//
// Its methods may be called from any goroutine. Changes of one goroutine reach each connection in their order.
// A connection gets each change once: either within its first put or as an event after it. A client that has status
// 200 gets all that is published from then on.
type Server struct {
	// URL is the stream URI for a client: the address without the path "/relay_auto_config". A path added to it is
	// fine: the server answers on any path that ends with "/relay_auto_config".
	URL string

	tb     testing.TB
	http   *httptest.Server
	events *eventsource.Server

	// order is held while something is published, and while a connection subscribes: see stream.
	order      sync.Mutex
	closed     bool           // under order
	view       view           // under order
	subscribed chan struct{}  // under order; closed when the connection that subscribes now has done so
	streams    sync.WaitGroup // connections that are being served

	watched     watched // guards the fields below
	requests    []Request
	connections int
	open        int
	key         config.AutoConfigKey
	rejectWith  int
	failures    []failure
}

// NewServer starts a service that speaks HTTP/1.1. It closes itself when the test ends; without a test (tb is nil)
// call Close.
func NewServer(tb testing.TB) *Server {
	s := newServer(tb)
	s.http.Start()
	return s.started()
}

// NewTLSServer starts a service that speaks HTTPS, HTTP/2 included. Its certificate is for 127.0.0.1 and signed by
// itself: a client must trust CertificatePEM.
func NewTLSServer(tb testing.TB) *Server {
	s := newServer(tb)
	s.http.EnableHTTP2 = true
	s.http.StartTLS()
	return s.started()
}

func newServer(tb testing.TB) *Server {
	s := &Server{tb: tb, events: eventsource.NewServer()}
	s.events.ReplayAll = true
	s.events.BufferSize = maxBehind
	s.register()
	s.http = httptest.NewUnstartedServer(s.Handler())
	// A client that does not trust the certificate is often the point of a test. It is no news.
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

func (s *Server) started() *Server {
	s.URL = s.http.URL
	if s.tb != nil {
		s.tb.Cleanup(s.Close)
	}
	return s
}

// CertificatePEM returns the certificate of a server that NewTLSServer started, as the contents of a CA file.
func (s *Server) CertificatePEM() []byte {
	cert := s.http.Certificate()
	if cert == nil {
		fail(s.tb, "CertificatePEM: this server has no certificate; start it with NewTLSServer")
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// Handler returns the service itself, to be served elsewhere too: under a base path, behind a proxy, with other
// certificates. It obeys the same script as URL does.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Close ends all connections and stops the service. What is published after it goes nowhere. It waits for the
// connections to end, also those that come in through Handler.
func (s *Server) Close() {
	s.order.Lock()
	if s.closed {
		s.order.Unlock()
		return
	}
	s.closed = true
	s.unregister()
	s.order.Unlock()

	s.http.CloseClientConnections()
	// The handlers of eventsource need their server to say goodbye to, so it goes last.
	s.streams.Wait()
	s.events.Close()
	s.http.Close()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.noteRequest(r)
	switch {
	case !strings.HasSuffix(r.URL.Path, streamPath):
		http.Error(w, "not found: the path must end with "+streamPath, http.StatusNotFound)
	case r.Method != http.MethodGet:
		http.Error(w, "the method must be GET", http.StatusMethodNotAllowed)
	case s.refused(w, r):
	default:
		s.stream(w, r)
	}
}
