package agent

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/keepalive"
)

func TestARefusalOfTheWebSocketHasTheCodeOfItsReason(t *testing.T) {
	for answer, code := range map[int]codes.Code{
		http.StatusUnauthorized: codes.Unauthenticated, http.StatusForbidden: codes.Unauthenticated,
		http.StatusNotFound: codes.Unimplemented, http.StatusMethodNotAllowed: codes.Unimplemented,
		http.StatusServiceUnavailable: codes.Unavailable, http.StatusOK: codes.Unavailable,
	} {
		t.Run(http.StatusText(answer), func(t *testing.T) {
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "a reason", answer) }))
			defer hub.Close()
			a, err := New(newManager(t, "http://127.0.0.1:1"), hub.URL, WithName("relay-7"))
			require.NoError(t, err)
			defer a.Close()
			_, err = a.dial(t.Context())
			assert.Equal(t, code, status.Code(err), "%v", err)
			assert.ErrorContains(t, err, "a reason")
		})
	}
}

func TestTheLinkEndsWhenTheHubDoesNotAskAnyMore(t *testing.T) {
	h := newTestHub(t)
	a, err := New(newManager(t, "http://127.0.0.1:1"), h.server.URL, WithName("relay-7"))
	require.NoError(t, err)
	defer a.Close()
	a.Start()
	session := <-h.session
	stream, err := session.Open()
	require.NoError(t, err)
	answered := make(chan struct{}, 100)
	asking := keepalive.NewClient(stream, &keepalive.Config{KeepAliveResponseFunc: func(keepalive.CallbackContext, uint16) error {
		answered <- struct{}{}
		return nil
	}})
	asking.Start()
	<-answered
	assert.False(t, session.IsClosed())
	asking.Stop()
	select {
	case <-session.CloseChan():
	case <-time.After(soon):
		t.Error("the link is up")
	}
}
