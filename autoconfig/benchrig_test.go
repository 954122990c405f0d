package autoconfig_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

// benchService serves streams over loopback HTTP. Each stream has a channel of its own for its texts, so that no text
// reaches the connection of a client that has just been closed.
type benchService struct {
	t       testing.TB
	url     string
	streams chan chan []byte // a stream that was opened, for the client that has opened it
}

func newBenchService(t testing.TB) *benchService {
	s := &benchService{t: t, streams: make(chan chan []byte, 1)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *benchService) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := w.(http.Flusher)
	texts := make(chan []byte)
	s.streams <- texts
	flusher.Flush()
	for {
		select {
		case text := <-texts:
			_, _ = w.Write(text)
			flusher.Flush()
		case <-request.Context().Done():
			return
		}
	}
}

// benchClient is a connected client.
type benchClient struct {
	t     testing.TB
	texts chan<- []byte // to its stream
	seen  *progress
	close func()
}

// client is a client that has just opened a stream.
func (s *benchService) client(seen *progress, close func()) *benchClient {
	return &benchClient{t: s.t, texts: <-s.streams, seen: seen, close: close}
}

type newBenchClient func(*benchService) *benchClient

// deliver has the service write the text and returns when the client has handled it: when the handler was called so many
// times, or, for the client that has no handler, when it has read every byte.
func (c *benchClient) deliver(text []byte, calls int) {
	c.seen.expect(len(text), calls)
	timeout := time.After(time.Minute)
	select {
	case c.texts <- text:
	case <-timeout:
		c.t.Fatal("the service could not write within a minute")
	}
	select {
	case <-c.seen.done:
	case <-timeout:
		c.t.Fatal("the client has not handled the text within a minute")
	}
}

// progress is the handler of the clients. It counts its calls; the client that has no handler counts bytes instead.
type progress struct {
	byBytes bool
	left    atomic.Int64
	done    chan struct{}
}

func newProgress() *progress { return &progress{done: make(chan struct{}, 1)} }

func (p *progress) expect(bytes, calls int) {
	if p.byBytes {
		calls = bytes
	}
	p.left.Store(int64(calls))
}

func (p *progress) add(n int) {
	if p.left.Add(int64(-n)) == 0 {
		p.done <- struct{}{}
	}
}

func (p *progress) AddEnvironment(envfactory.EnvironmentParams)        { p.add(1) }
func (p *progress) UpdateEnvironment(envfactory.EnvironmentParams)     { p.add(1) }
func (p *progress) ReceivedAllEnvironments()                           { p.add(1) }
func (p *progress) DeleteEnvironment(config.EnvironmentID)             { p.add(1) }
func (p *progress) KeyExpired(_ config.EnvironmentID, _ config.SDKKey) { p.add(1) }

func newRelayconfClient(s *benchService) *benchClient {
	http, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, benchKey, "", ldlog.NewDisabledLoggers())
	require.NoError(s.t, err)
	seen := newProgress()
	m := autoconfig.NewStreamManager(benchKey, s.url, seen, http, 0, ldlog.NewDisabledLoggers())
	require.NoError(s.t, <-m.Start())
	return s.client(seen, func() {
		m.Close()
		<-m.Done()
	})
}

// newWireClient reads and does nothing else.
func newWireClient(s *benchService) *benchClient {
	seen := newProgress()
	seen.byBytes = true
	transport := &http.Transport{}
	response, err := (&http.Client{Transport: transport}).Get(s.url)
	require.NoError(s.t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 256<<10) // larger ones are not faster
		for {
			n, err := response.Body.Read(buf)
			if n > 0 {
				seen.add(n)
			}
			if err != nil {
				return
			}
		}
	}()
	return s.client(seen, func() {
		_ = response.Body.Close()
		<-done
		transport.CloseIdleConnections()
	})
}

const benchKey = config.AutoConfigKey("rel-benchmark-key-0001")

// benchEnvironment is some 340 bytes, as the service writes them. Ten environments are a project.
func benchEnvironment(i, version int) string {
	return fmt.Sprintf(`{"envID":"5f1b0c7e%016d","envKey":"environment-%d","envName":"Environment %d",`+
		`"mobKey":"mob-00000000-0000-4000-8000-%012d","projKey":"project-%d","projName":"Project %d",`+
		`"sdkKey":{"value":"sdk-00000000-0000-4000-8000-%012d"},"defaultTtl":5,"secureMode":true,"version":%d}`,
		i, i, i, i, i/10, i/10, i, version)
}

// benchPut is a put event with n environments. Their versions may differ.
func benchPut(n, version int, versionOf func(int) int) []byte {
	var text bytes.Buffer
	text.Grow(n * 400)
	text.WriteString("event: put\n" + `data: {"path":"/","data":{"environments":{`)
	for i := range n {
		if versionOf != nil {
			version = versionOf(i)
		}
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"5f1b0c7e%016d":%s`, i, benchEnvironment(i, version))
	}
	text.WriteString("}}}\n\n")
	return text.Bytes()
}

func benchPatch(i, version int) string {
	return fmt.Sprintf("event: patch\n"+`data: {"path":"/environments/5f1b0c7e%016d","data":%s}`+"\n\n",
		i, benchEnvironment(i, version))
}
