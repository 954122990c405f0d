package autoconfig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = config.AutoConfigKey("rel-test-key-0001")

// service stands in for the network, so that the time of a test can be that of testing/synctest: it is a transport whose
// requests the test answers. What needs real HTTP is tested over loopback elsewhere.
type service struct {
	t        *testing.T
	requests chan *exchange
}

// exchange is one request and its response.
type exchange struct {
	t        *testing.T
	request  *http.Request
	at       time.Time
	response chan *http.Response
	body     *io.PipeWriter
}

func (s *service) RoundTrip(request *http.Request) (*http.Response, error) {
	e := &exchange{t: s.t, request: request, at: time.Now(), response: make(chan *http.Response)}
	ctx := request.Context()
	select {
	case s.requests <- e:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case response := <-e.response:
		if response == nil {
			return nil, fmt.Errorf("connection refused")
		}
		response.Request = request
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next waits for the manager's next request.
func (s *service) next() *exchange {
	s.t.Helper()
	select {
	case e := <-s.requests:
		return e
	case <-time.After(3 * time.Hour): // in the bubble's time
		s.t.Fatal("there was no request")
		return nil
	}
}

// stream is next, answered with an event stream that begins with text.
func (s *service) stream(text string) *exchange {
	s.t.Helper()
	e := s.next()
	reader, writer := io.Pipe()
	e.body = writer
	context.AfterFunc(e.request.Context(), func() { _ = writer.CloseWithError(e.request.Context().Err()) })
	e.response <- &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}},
		Body:       reader,
	}
	e.send(text)
	return e
}

// fail answers with a status and headers, as name, value.
func (e *exchange) fail(status int, headers ...string) {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
	for i := 0; i < len(headers); i += 2 {
		response.Header.Set(headers[i], headers[i+1])
	}
	e.response <- response
}

func (e *exchange) refuse() { e.response <- nil }

// send returns when the manager is through with the text and waits for more.
func (e *exchange) send(text string) {
	_, _ = io.WriteString(e.body, text)
	synctest.Wait()
}

func (e *exchange) drop() {
	_ = e.body.Close()
	synctest.Wait()
}

func eventText(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// relay is a handler that writes down its calls and can be made slow.
type relay struct {
	mu    sync.Mutex
	calls []string
	on    func(call string) // called within each call, if set
}

func (r *relay) called(format string, args ...any) {
	call := fmt.Sprintf(format, args...)
	r.mu.Lock()
	r.calls = append(r.calls, call)
	on := r.on
	r.mu.Unlock()
	if on != nil {
		on(call)
	}
}

// take returns the calls since it was last called.
func (r *relay) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func (r *relay) AddEnvironment(p envfactory.EnvironmentParams)    { r.called("add %s", p.EnvID) }
func (r *relay) UpdateEnvironment(p envfactory.EnvironmentParams) { r.called("update %s", p.EnvID) }
func (r *relay) ReceivedAllEnvironments()                         { r.called("all") }
func (r *relay) DeleteEnvironment(id config.EnvironmentID)        { r.called("delete %s", id) }
func (r *relay) AddFilter(p envfactory.FilterParams)              { r.called("add filter %s", p.ID) }
func (r *relay) DeleteFilter(id config.FilterID)                  { r.called("delete filter %s", id) }
func (r *relay) KeepAlive(comment string)                         { r.called("keepalive %s", comment) }
func (r *relay) KeyExpired(id config.EnvironmentID, key config.SDKKey) {
	r.called("expired %s %s", id, string(key))
}
func (r *relay) MobileKeyExpired(id config.EnvironmentID, key config.MobileKey) {
	r.called("expired mobile %s %s", id, string(key))
}

// rig is a manager under test with a service and a relay on either side.
type rig struct {
	t       *testing.T
	service *service
	relay   *relay
	manager *StreamManager
	log     *ldlogtest.MockLog
	ready   <-chan error
}

// inBubble runs the test in a bubble of testing/synctest, with a manager that is started, and closed at the end.
func inBubble(t *testing.T, test func(t *testing.T, r *rig), options ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, options...)
		r.ready = r.manager.Start()
		defer r.close()
		test(t, r)
	})
}

func newRig(t *testing.T, initialRetryDelay time.Duration, options ...Option) *rig {
	r := &rig{
		t: t, relay: &relay{}, log: ldlogtest.NewMockLog(),
		service: &service{t: t, requests: make(chan *exchange)},
	}
	r.log.Loggers.SetMinLevel(ldlog.Debug)
	r.manager = NewStreamManager(testKey, "https://example.com", r.relay, httpconfig.HTTPConfig{}, initialRetryDelay, r.log.Loggers, options...)
	r.manager.client = &http.Client{Transport: r.service}
	return r
}

// httpConfig is for managers that the test makes itself; they connect to nothing.
func (r *rig) httpConfig() httpconfig.HTTPConfig { return httpconfig.HTTPConfig{} }

func (r *rig) close() {
	r.manager.Close()
	<-r.manager.Done()
}

// wants checks the relay's calls since the last check.
func (r *rig) wants(calls ...string) {
	r.t.Helper()
	synctest.Wait()
	got := r.relay.take()
	if len(calls) == 0 {
		require.Empty(r.t, got)
		return
	}
	require.Equal(r.t, calls, got)
}

func (r *rig) wantState(state State) {
	r.t.Helper()
	synctest.Wait()
	require.Equal(r.t, state, r.manager.Status().State)
}

// after is how long after a time the exchange began.
func (e *exchange) after(start time.Time) time.Duration { return e.at.Sub(start) }

// fromNow is the time in d as the helpers take it that make environments: in seconds after the epoch.
func fromNow(d time.Duration) int { return int(time.Now().Add(d).Sub(epoch) / time.Second) }
