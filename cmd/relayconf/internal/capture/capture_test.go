package capture

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fakes"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = time.Minute

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func begin(t *testing.T, server *autoconfigtest.Server, change func(*Options)) (*Capture, *buffer, context.CancelFunc) {
	t.Helper()
	client, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, "", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	out := &buffer{}
	options := Options{StreamURI: server.URL, ProtocolVersion: 2, Client: client.Client(), Key: "rel-1", Out: out,
		Fakes: fakes.New(), ReadTimeout: soon, Loggers: ldlog.NewDisabledLoggers()}
	if change != nil {
		change(&options)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := Start(ctx, options)
	t.Cleanup(func() { cancel(); <-c.Done() })
	return c, out, cancel
}

func (b *buffer) holds(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(b.String(), want) }, soon, time.Millisecond, want)
}

func result(t *testing.T, c *Capture) (Counts, error) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(soon):
		require.FailNow(t, "the capture does not end")
	}
	return c.Result()
}

func TestTheEndOfTheContextIsNoFailure(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	c, out, cancel := begin(t, server, nil)
	out.holds(t, "event: put")
	cancel()
	counts, err := result(t, c)
	require.NoError(t, err)
	assert.Equal(t, Counts{Events: 1, Connections: 1}, counts)
	assert.NotContains(t, out.String(), ":!drop")
	assert.Equal(t, "rpacProtocolVersion=2", server.Requests()[0].URL.RawQuery)
}

func TestADropAndAStatusAreRecordedAndTheStreamIsFollowedOn(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	_, out, _ := begin(t, server, nil)
	out.holds(t, "event: put")
	server.FailNext(1, http.StatusServiceUnavailable, nil)
	server.DropConnections()
	server.WaitForConnections(2, soon)
	require.Eventually(t, func() bool { return strings.Count(out.String(), "event: put") == 2 }, soon, time.Millisecond)
	assert.Regexp(t, `(?s)event: put.*:!drop\n:!status 503\n.*event: put`, out.String())
}

func TestAReconnectEventIsObeyedAndIsNoDrop(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	_, out, _ := begin(t, server, nil)
	out.holds(t, "event: put")
	server.Reconnect()
	server.WaitForConnections(2, soon)
	assert.Contains(t, out.String(), "event: reconnect")
	assert.NotContains(t, out.String(), ":!drop")
}

func TestSilenceIsADrop(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	_, out, _ := begin(t, server, func(o *Options) { o.ReadTimeout = 50 * time.Millisecond })
	server.WaitForConnections(2, soon)
	out.holds(t, ":!drop")
}

func TestARejectedKeyEndsTheCaptureUnlessItIsToBeRetried(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.RejectKeys(http.StatusForbidden)
	c, _, _ := begin(t, server, nil)
	_, err := result(t, c)
	require.ErrorIs(t, err, ErrRejected)
	assert.ErrorContains(t, err, "403")

	c, out, _ := begin(t, server, func(o *Options) { o.RetryRejected = true })
	require.Eventually(t, func() bool { return len(server.Requests()) == 2 }, soon, time.Millisecond)
	server.RejectKeys(0)
	server.Put(autoconfigtest.MakePut())
	c.SetKey("rel-2") // ends the long wait
	out.holds(t, "event: put")
}

func TestAnotherKeyIsUsedAtOnceAndIsADropInTheRecording(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut())
	c, out, _ := begin(t, server, nil)
	out.holds(t, "event: put")
	c.SetKey("rel-2")
	server.WaitForConnections(2, soon)
	out.holds(t, ":!drop")
	assert.Equal(t, "rel-2", server.Requests()[1].Header.Get("Authorization"))
}

func TestNoEventInTimeIsAFailure(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	c, _, _ := begin(t, server, func(o *Options) { o.InitTimeout = 50 * time.Millisecond })
	_, err := result(t, c)
	require.ErrorIs(t, err, ErrInitTimeout)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestARecordingThatCanNotBeWrittenEndsTheCapture(t *testing.T) {
	server := autoconfigtest.NewServer(t)
	c, _, _ := begin(t, server, func(o *Options) { o.Out = broken{} })
	_, err := result(t, c)
	require.ErrorContains(t, err, "disk full")
}
