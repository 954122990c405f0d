package autoconfigtest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
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
	s.Put(MakePut())
	c.text("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{}}}\n\n")
}

func TestServerSendsWhatIsPublishedInOrder(t *testing.T) {
	s := NewServer(t)
	c := connect(t, s.URL)
	one := MakeEnvironment(1, 3)
	s.Comment("")
	s.Comment("hello")
	s.Comment(" two spaces")
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
	assert.Equal(t, ":\n: hello\n:  two spaces\nevent: half\ndata: {\n\n"+
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
	old := newConnection(t, get(t, newClient(t), s.URL+"/relay_auto_config?rpacProtocolVersion=1", testKey))
	assert.Empty(t, readPut(old).Filters)
	assert.Empty(t, readPut(connect(t, s.URL)).Filters)
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
	const last, enough = 5000, 20
	s := NewServer(t)
	rep := MakeEnvironment(1, 1)
	s.Put(MakePut(rep))
	var all sync.WaitGroup
	all.Go(func() {
		for version := 2; version <= last; version++ {
			rep := rep
			rep.Version = version
			s.Patch(rep)
		}
	})
	for range 40 {
		c := connect(t, s.URL)
		all.Go(func() {
			defer c.close()
			known := readPut(c).Environments[rep.EnvID].Version
			for next := known + 1; next <= min(known+enough, last); next++ {
				var message autoconfig.PatchMessageData
				if e := c.event(); !assert.NoError(t, json.Unmarshal([]byte(e.Data()), &message)) ||
					!assert.Equal(t, next, message.Data.Version) {
					return
				}
			}
		})
	}
	all.Wait()
}

func TestServerCountsAConnectionBeforeItsClientHasIt(t *testing.T) {
	s := NewServer(t)
	for n := range 100 {
		c := connect(t, s.URL)
		assert.Equal(t, n+1, s.Connections())
		c.close()
	}
}

func TestServerLetsATestWaitForConnections(t *testing.T) {
	s := NewServer(t)
	client, request := newClient(t), newRequest(t, s.URL+"/relay_auto_config", testKey)
	var clients sync.WaitGroup
	clients.Go(func() {
		for range 3 {
			if response, err := client.Do(request); assert.NoError(t, err) {
				_ = response.Body.Close()
			}
		}
	})
	s.WaitForConnections(3, deadline)
	clients.Wait()
	s.WaitForOpenConnections(0, deadline)
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
	s.WaitForConnections(2, time.Millisecond)
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
	for range 40 { // far more than eventsource has room for in its queue of those who leave
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

// slowWriter takes its time for each write.
type slowWriter struct {
	*httptest.ResponseRecorder
	writing chan struct{} // closed when the first write begins
	begun   sync.Once
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.begun.Do(func() { close(w.writing) })
	time.Sleep(20 * time.Millisecond)
	return w.ResponseRecorder.Write(p)
}

func TestServerCloseWaitsForConnectionsThatCameThroughHandler(t *testing.T) {
	s := NewServer(t)
	s.Put(MakePut())
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder(), writing: make(chan struct{})}
	go s.Handler().ServeHTTP(w, newRequest(t, "/relay_auto_config", testKey))
	<-w.writing
	s.Close()
	assert.Equal(t, "event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{}}}\n\n", w.Body.String())
}

func TestServerCloseDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	s := NewServer(t)
	connect(t, s.URL)
	big := string(make([]byte, 1<<20))
	for range 64 { // far more than the buffers of a socket hold
		s.Raw(big)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Close() }()
	select {
	case <-done:
	case <-time.After(deadline / 2): // the client itself ends after the deadline
		t.Fatal("Close hangs")
	}
}
