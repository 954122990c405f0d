package autoconfigtest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func readPut(c *connection) autoconfig.PutContent {
	c.t.Helper()
	e := c.event()
	require.Equal(c.t, autoconfig.PutEvent, e.Event())
	var message autoconfig.PutMessageData
	require.NoError(c.t, json.Unmarshal([]byte(e.Data()), &message))
	require.Equal(c.t, "/", message.Path)
	return message.Data
}

func TestServerReplaysTheCurrentPutToEachConnection(t *testing.T) {
	s := NewServer(t)
	one, two, three := MakeEnvironment(1, 1), MakeEnvironment(2, 1), MakeEnvironment(3, 1)
	s.Put(MakePut(one, two))
	assert.Equal(t, MakePut(one, two), readPut(connect(t, s.URL)))

	two.Version, two.EnvName = 2, "Staging 2"
	s.Patch(two)
	s.Patch(three)
	s.Delete(one.EnvID, 2)
	assert.Equal(t, MakePut(two, three), readPut(connect(t, s.URL)))

	s.Put(MakePut(one))
	assert.Equal(t, MakePut(one), readPut(connect(t, s.URL)))
}

func TestServerKeepsItsViewOnStaleChanges(t *testing.T) {
	s := NewServer(t)
	early := MakeEnvironment(3, 1)
	s.Patch(early) // before the first put: no part of the configuration
	one, two := MakeEnvironment(1, 5), MakeEnvironment(2, 5)
	s.Put(MakePut(one, two))
	stale := one
	stale.Version, stale.EnvName = 4, "Old"
	s.Patch(stale)
	s.Delete(one.EnvID, 5)
	s.Delete(two.EnvID, 6)
	late := two
	late.Version = 6
	s.Patch(late)
	assert.Equal(t, MakePut(one), readPut(connect(t, s.URL)))
}

func TestServerSendsNothingBeforeTheFirstPut(t *testing.T) {
	s := NewServer(t)
	c := connect(t, s.URL)
	s.WaitForConnections(1, deadline)
	s.Put(MakePut())
	c.text("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{}}}\n\n")
}

func TestServerSendsWhatIsPublishedInOrder(t *testing.T) {
	s := NewServer(t)
	c := connect(t, s.URL)
	s.WaitForConnections(1, deadline)
	one := MakeEnvironment(1, 3)
	s.Comment("")
	s.Comment(" hello")
	s.Raw("event: half\nda")
	s.Raw("")
	s.Raw("ta: {\n\n")
	s.Delete(one.EnvID, 4)
	s.Patch(one)
	s.Reconnect()
	s.Raw("cut")
	s.DropConnections()
	patch, err := json.Marshal(autoconfig.PatchMessageData{Path: "/environments/" + string(one.EnvID), Data: one})
	require.NoError(t, err)
	text, err := c.end()
	require.NoError(t, err)
	assert.Equal(t, ":\n: hello\nevent: half\ndata: {\n\n"+
		"event: delete\ndata: {\"path\":\"/environments/5f1b0c7e0000000000000001\",\"version\":4}\n\n"+
		"event: patch\ndata: "+string(patch)+"\n\n"+
		"event: reconnect\ndata:  \n\n"+
		"cut", text)
}

func TestServerSendsFiltersToProtocolVersion2Only(t *testing.T) {
	s := NewServer(t)
	content := MakePut()
	content.Filters = map[config.FilterID]envfactory.FilterRep{"web.eu": {ProjKey: "web", FilterKey: "eu", Version: 1}}
	s.Put(content)
	old := connect(t, s.URL)
	assert.Empty(t, readPut(old).Filters)
	response := get(t, newClient(t), s.URL+"/relay_auto_config?rpacProtocolVersion=2", testKey)
	c := newConnection(t, response)
	assert.Equal(t, content.Filters, readPut(c).Filters)

	s.PatchFilter("web.us", envfactory.FilterRep{ProjKey: "web", FilterKey: "us", Version: 2})
	s.DeleteFilter("web.eu", 3)
	s.Comment("")
	old.text(":\n")
	c.text("event: patch\ndata: {\"path\":\"/filters/web.us\",\"data\":{\"projKey\":\"web\",\"key\":\"us\",\"version\":2}}\n\n" +
		"event: delete\ndata: {\"path\":\"/filters/web.eu\",\"version\":3}\n\n:\n")
	assert.Equal(t, map[config.FilterID]envfactory.FilterRep{"web.us": {ProjKey: "web", FilterKey: "us", Version: 2}},
		readPut(newConnection(t, get(t, newClient(t), s.URL+"/relay_auto_config?rpacProtocolVersion=2", testKey))).Filters)
}

// Each connection must get a put and then every later patch, once: none lost, none that the put had already.
func TestServerLosesAndRepeatsNothingWhileConnectionsCome(t *testing.T) {
	const last = 300
	s := NewServer(t)
	rep := MakeEnvironment(1, 1)
	s.Put(MakePut(rep))
	published := make(chan struct{})
	go func() {
		defer close(published)
		for version := 2; version <= last; version++ {
			rep := rep
			rep.Version = version
			s.Patch(rep)
		}
	}()
	var readers sync.WaitGroup
	for range 20 {
		c := connect(t, s.URL)
		readers.Go(func() {
			next := readPut(c).Environments[rep.EnvID].Version
			for next++; next <= last; next++ {
				var message autoconfig.PatchMessageData
				if e := c.event(); !assert.NoError(t, json.Unmarshal([]byte(e.Data()), &message)) ||
					!assert.Equal(t, next, message.Data.Version) {
					return
				}
			}
		})
	}
	readers.Wait()
	<-published
}

func TestServerDropsConnectionsAndTakesNewOnes(t *testing.T) {
	s := NewServer(t)
	s.Put(MakePut(MakeEnvironment(1, 1)))
	c := connect(t, s.URL)
	readPut(c)
	s.DropConnections()
	rest, err := c.end()
	require.NoError(t, err)
	assert.Empty(t, rest)
	s.WaitForOpenConnections(0, deadline)
	readPut(connect(t, s.URL))
	assert.Equal(t, 2, s.Connections())
	assert.Equal(t, 1, s.OpenConnections())
}

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

func TestServerSpeaksHTTP2OverTLS(t *testing.T) {
	s := NewTLSServer(t)
	s.Put(MakePut(MakeEnvironment(1, 1)))
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(s.CertificatePEM()))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	response := get(t, &http.Client{Transport: transport}, s.URL+"/relay_auto_config", testKey)
	c := newConnection(t, response)
	assert.Equal(t, MakePut(MakeEnvironment(1, 1)), readPut(c))
	s.Raw("raw")
	s.DropConnections()
	text, err := c.end()
	require.NoError(t, err)
	assert.Equal(t, "raw", text)
	assert.Equal(t, "HTTP/2.0", s.Requests()[0].Proto)
}

func TestServerCanBeMountedElsewhere(t *testing.T) {
	s := NewServer(t)
	s.Put(MakePut(MakeEnvironment(1, 1)))
	mux := http.NewServeMux()
	mux.Handle("/base/", http.StripPrefix("/base", s.Handler()))
	other := httptest.NewServer(mux)
	defer other.Close()
	c := connect(t, other.URL+"/base")
	readPut(c)
	s.Close() // ends the connection, which other.Close waits for
	_, err := c.end()
	require.NoError(t, err)
	assert.Equal(t, 503, get(t, newClient(t), other.URL+"/base/relay_auto_config", testKey).StatusCode)
}

func TestServerCloseEndsConnectionsAndSilencesTheRest(t *testing.T) {
	s := NewServer(nil)
	var connections []*connection
	for range 5 { // more than eventsource has room for in its queue of those who leave
		connections = append(connections, connect(t, s.URL))
	}
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(s.Close)
	}
	closers.Wait()
	for _, c := range connections {
		_, _ = c.end()
	}
	s.Put(MakePut())
	s.Comment("")
	s.DropConnections()
	assert.Zero(t, s.OpenConnections())
}

func TestServerCloseDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	s := NewServer(t)
	connect(t, s.URL)
	s.WaitForConnections(1, deadline)
	big := string(make([]byte, 1<<20))
	for range 64 { // far more than the buffers of a socket hold
		s.Raw(big)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Close() }()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("Close hangs")
	}
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
