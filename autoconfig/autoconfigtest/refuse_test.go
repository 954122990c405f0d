package autoconfigtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerRefuses(t *testing.T) {
	const path = "/relay_auto_config"
	retryLater := http.Header{"retry-after": {"7"}}
	tests := map[string]struct {
		script func(*Server)
		path   string
		key    string
		want   []int
	}{
		"another path":                 {path: "/all", key: testKey, want: []int{404}},
		"a request without a key":      {path: path, want: []int{401}},
		"nothing, without a script":    {path: path, key: testKey, want: []int{200}},
		"nothing under a base path":    {path: "/some/base" + path, key: testKey, want: []int{200}},
		"every key while told to":      {script: func(s *Server) { s.RejectKeys(403) }, path: path, key: testKey, want: []int{403, 403}},
		"no key when told to stop":     {script: func(s *Server) { s.RejectKeys(403); s.RejectKeys(0) }, path: path, key: testKey, want: []int{200}},
		"any key but the one set":      {script: func(s *Server) { s.SetKey("rel-other") }, path: path, key: testKey, want: []int{401}},
		"not the key set":              {script: func(s *Server) { s.SetKey(testKey) }, path: path, key: testKey, want: []int{200}},
		"no key when it is set to any": {script: func(s *Server) { s.SetKey("rel-other"); s.SetKey("") }, path: path, key: testKey, want: []int{200}},
		"so many requests, in turn": {
			script: func(s *Server) { s.FailNext(2, 503, nil); s.FailNext(1, 429, retryLater) },
			path:   path, key: testKey, want: []int{503, 503, 429, 200},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := NewServer(t)
			if test.script != nil {
				test.script(s)
			}
			succeeded := 0
			for i, want := range test.want {
				response := get(t, newClient(t), s.URL+test.path, test.key)
				assert.Equal(t, want, response.StatusCode, "request %d", i+1)
				if want == 429 {
					assert.Equal(t, "7", response.Header.Get("Retry-After"))
				}
				if want == 200 {
					succeeded++
				}
			}
			assert.Equal(t, succeeded, s.Connections())
			assert.Len(t, s.Requests(), len(test.want))
		})
	}
	t.Run("what is no GET", func(t *testing.T) {
		response, err := newClient(t).Post(NewServer(t).URL+path, "text/plain", nil)
		require.NoError(t, err)
		_ = response.Body.Close()
		assert.Equal(t, 405, response.StatusCode)
	})
}

func TestServerAnswers200ThatIsNoStream(t *testing.T) {
	s := NewServer(t)
	s.FailNext(1, 200, http.Header{"Content-Type": {"text/html"}})
	response := get(t, newClient(t), s.URL+"/relay_auto_config", testKey)
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, "text/html", response.Header.Get("Content-Type"))
	assert.Zero(t, s.Connections())
}

func TestServerKeepsCopiesOfRequests(t *testing.T) {
	s := NewServer(t)
	before := time.Now()
	connect(t, s.URL+"/base")
	requests := s.Requests()
	require.Len(t, requests, 1)
	assert.Equal(t, "GET", requests[0].Method)
	assert.Equal(t, "/base/relay_auto_config", requests[0].URL.Path)
	assert.Equal(t, testKey, requests[0].Header.Get("Authorization"))
	assert.Equal(t, "HTTP/1.1", requests[0].Proto)
	assert.WithinRange(t, requests[0].Time, before, time.Now())
	assert.Equal(t, "GET /base/relay_auto_config (key …0001)", requests[0].String())

	requests[0].Header.Set("Authorization", "changed")
	requests[0].URL.Path = "changed"
	assert.Equal(t, testKey, s.Requests()[0].Header.Get("Authorization"))
	assert.Equal(t, "/base/relay_auto_config", s.Requests()[0].URL.Path)
}

func TestMisuseIsReported(t *testing.T) {
	tests := map[string]struct {
		misuse func(*Server)
		want   string
	}{
		"a comment of two lines":        {func(s *Server) { s.Comment("a\nb") }, "line break"},
		"a failure that is no status":   {func(s *Server) { s.FailNext(1, 99, nil) }, "99 is not the status"},
		"a rejection of no status":      {func(s *Server) { s.RejectKeys(1) }, "1 is not an HTTP status"},
		"the certificate of plain HTTP": {func(s *Server) { _ = s.CertificatePEM() }, "NewTLSServer"},
		"a connection that does not come": {func(s *Server) {
			s.WaitForConnections(1, time.Millisecond)
		}, "connection 1 did not come within 1ms; seen so far: 0 connections, requests []"},
		"a connection that is not open": {func(s *Server) {
			s.WaitForOpenConnections(1, time.Millisecond)
		}, "0 connections are open after 1ms, not 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := NewServer(nil)
			defer s.Close()
			defer func() { assert.Contains(t, fmt.Sprint(recover()), test.want) }()
			test.misuse(s)
		})
	}
}
