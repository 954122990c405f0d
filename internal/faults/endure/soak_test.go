package endure

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// soakService sends a put of many environments, and then patches as fast as they are taken.
type soakService struct {
	uri  string
	more chan int   // how many patches to send
	sent chan error // after that
}

func newSoakService(t *testing.T) *soakService {
	s := &soakService{more: make(chan int), sent: make(chan error)}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.uri = server.URL
	return s
}

// patch sends that many, and returns when all are on their way.
func (s *soakService) patch(n int) error {
	select {
	case s.more <- n:
	case <-time.After(time.Minute):
		return fmt.Errorf("the manager did not connect")
	}
	return <-s.sent
}

func (s *soakService) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprint(out, "event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{")
	for id := range environments {
		if id > 0 {
			fmt.Fprint(out, ",")
		}
		fmt.Fprintf(out, "\"env-%d\":", id)
		writeEnvironment(out, id, 0)
	}
	fmt.Fprint(out, "}}}\n\n")
	flush(out, w)
	for version := 1; ; {
		select {
		case <-r.Context().Done():
			return
		case n := <-s.more:
			for i := range n {
				id := i % environments
				fmt.Fprintf(out, "event: patch\ndata: {\"path\":\"/environments/env-%d\",\"data\":", id)
				writeEnvironment(out, id, version)
				fmt.Fprint(out, "}\n\n")
				if id == environments-1 {
					version++
				}
			}
			s.sent <- flush(out, w)
		}
	}
}

func writeEnvironment(out *bufio.Writer, id, version int) {
	fmt.Fprintf(out, `{"envID":"env-%d","envKey":"production","envName":"Production","projKey":"web","projName":"Web shop",`+
		`"mobKey":"mob-%d","sdkKey":{"value":"sdk-%d-%d"},"defaultTtl":5,"version":%d}`, id, id, id, version, version)
}

func flush(out *bufio.Writer, w http.ResponseWriter) error {
	if err := out.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
