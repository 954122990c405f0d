package autoconfig

import (
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
	"github.com/relayconf/relayconf/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = config.AutoConfigKey("rel-test-key-0001")

// service answers the manager's requests in the time of testing/synctest. Tests over real HTTP are in http_test.go.
type service struct {
	*memnet.Service
	t *testing.T
}

// exchange is one request and its response.
type exchange struct{ *memnet.Exchange }

// next waits for the manager's next request.
func (s *service) next() *exchange {
	s.t.Helper()
	e := s.Next(3 * time.Hour) // in the bubble's time
	require.NotNil(s.t, e, "there was no request")
	return &exchange{e}
}

// stream is next, answered with an event stream that begins with text. Headers may follow.
func (s *service) stream(text string, headers ...string) *exchange {
	s.t.Helper()
	e := s.next()
	e.Stream(headers...)
	e.send(text)
	return e
}

// send returns when the manager is through with the text and waits for more.
func (e *exchange) send(text string) {
	_, _ = io.WriteString(e, text)
	synctest.Wait()
}

func (e *exchange) drop() {
	e.Drop()
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
	logSeen int // lines that logged has looked at
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
		service: &service{memnet.NewService(), t},
	}
	r.log.Loggers.SetMinLevel(ldlog.Debug)
	options = append([]Option{WithHTTPClient(&http.Client{Transport: r.service})}, options...)
	r.manager = NewStreamManager(testKey, "https://example.com", r.relay, httpconfig.HTTPConfig{}, initialRetryDelay, r.log.Loggers, options...)
	return r
}

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
func (e *exchange) after(start time.Time) time.Duration { return e.At.Sub(start) }

// fromNow is the time in d as the helpers take it that make environments: in seconds after the epoch.
func fromNow(d time.Duration) int { return int(time.Now().Add(d).Sub(epoch) / time.Second) }
