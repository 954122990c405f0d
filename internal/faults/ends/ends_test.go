// Package ends proves that an end is seen: whatever a relay's owner looks at tells the same story.
package ends

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/internal/faults/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// end is how a manager comes to its end, and what is told of it.
type end struct {
	name  string
	uri   string // instead of the service's
	end   func(service *autoconfigtest.Server, relay *rig.Relay)
	begin func(service *autoconfigtest.Server)

	err       error  // that Err matches; nil for any
	says      string // what Err says
	connected bool   // there was a connection before
	status    int    // in LastError; 0 if there is none
	logged    bool   // that it ended for good
}

var ends = []end{
	{name: "a key that is rejected at first", err: autoconfig.ErrInvalidKey, says: "401", status: 401, logged: true,
		begin: func(s *autoconfigtest.Server) { s.RejectKeys(http.StatusUnauthorized) }},
	{name: "a key that is forbidden at first", err: autoconfig.ErrInvalidKey, says: "403", status: 403, logged: true,
		begin: func(s *autoconfigtest.Server) { s.RejectKeys(http.StatusForbidden) }},
	{name: "a key that is rejected later", err: autoconfig.ErrInvalidKey, says: "401", status: 401, connected: true, logged: true,
		end: func(s *autoconfigtest.Server, _ *rig.Relay) {
			s.RejectKeys(http.StatusUnauthorized)
			s.DropConnections()
		}},
	{name: "a key that is rejected after an outage", err: autoconfig.ErrInvalidKey, says: "403", status: 403, connected: true, logged: true,
		end: func(s *autoconfigtest.Server, _ *rig.Relay) {
			s.FailNext(3, http.StatusServiceUnavailable, nil)
			s.RejectKeys(http.StatusForbidden)
			s.DropConnections()
		}},
	{name: "a key that can't be sent", err: autoconfig.ErrInvalidKey, says: "empty", connected: true, logged: true,
		end: func(_ *autoconfigtest.Server, r *rig.Relay) { r.Manager.SetKey("") }},
	{name: "a URI without a scheme", uri: "stream.example.com", says: "stream URI", logged: true},
	{name: "a URI that is none", uri: "http://[::1", says: "stream URI", logged: true},
	{name: "Close while connected", err: autoconfig.ErrClosed, says: "closed", connected: true,
		end: func(_ *autoconfigtest.Server, r *rig.Relay) { r.Manager.Close() }},
	{name: "Close before there is a connection", err: autoconfig.ErrClosed, says: "closed", status: 503,
		begin: func(s *autoconfigtest.Server) {
			s.FailNext(1, http.StatusServiceUnavailable, http.Header{"Retry-After": {"60"}})
		},
		end: func(s *autoconfigtest.Server, r *rig.Relay) {
			for r.Manager.Status().LastError == nil {
				time.Sleep(time.Millisecond)
			}
			r.Manager.Close()
		}},
}

func TestEverythingTellsTheSameStoryOfAnEnd(t *testing.T) {
	for _, e := range ends {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			service := autoconfigtest.NewServer(t)
			service.Put(autoconfigtest.MakePut(rig.Environment(1, 1)))
			if e.begin != nil {
				e.begin(service)
			}
			uri := service.URL
			if e.uri != "" {
				uri = e.uri
			}
			states := make(chan autoconfig.State, 100)
			relay := rig.Follow(t, uri, rig.Options{Manager: []autoconfig.Option{
				autoconfig.WithStatusListener(func(s autoconfig.Status) { states <- s.State })}})
			if e.connected {
				relay.WaitForPuts(t, 1, rig.Soon)
				require.NoError(t, <-relay.Ready)
				require.NoError(t, relay.Manager.Err(), "it runs")
			}
			if e.end != nil {
				e.end(service, relay)
			}
			select {
			case <-relay.Manager.Done():
			case <-time.After(rig.Soon):
				t.Fatalf("Done is not closed; the status is %+v", relay.Manager.Status())
			}
			checkStory(t, e, relay)
			close(states)
			last := autoconfig.State("")
			for state := range states {
				last = state
			}
			assert.Equal(t, autoconfig.StateOff, last, "what the listener heard last")
		})
	}
}

func checkStory(t *testing.T, e end, relay *rig.Relay) {
	err := relay.Manager.Err()
	require.ErrorContains(t, err, e.says)
	if e.err != nil {
		require.ErrorIs(t, err, e.err)
	}
	for _, other := range []error{autoconfig.ErrClosed, autoconfig.ErrInvalidKey} {
		assert.Equal(t, other == e.err, errors.Is(err, other), "%v", other)
	}
	if !e.connected {
		assert.Equal(t, err, <-relay.Ready, "Start says the same as Err")
	}
	assert.Empty(t, relay.Ready, "Start's channel has one value")

	status := relay.Manager.Status()
	assert.Equal(t, autoconfig.StateOff, status.State)
	if e.status != 0 {
		require.NotNil(t, status.LastError)
		assert.Equal(t, e.status, status.LastError.StatusCode)
	}
	log := relay.Log()
	assert.Equal(t, e.logged, strings.Contains(log, "has ended for good: "+err.Error()), "the log is %s", log)
	if e.connected {
		assert.Len(t, relay.View(), 1, "what is known stays")
		assert.Len(t, relay.Manager.Environments(), 1)
	}
}
