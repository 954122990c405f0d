package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

// A proxy's answer becomes the message of the manager's last error, and proxies answer in Latin-1, too.
func TestAnErrorWithBytesThatAreNotUTF8IsReported(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 503 \xdcberlastet\r\nContent-Length: 0\r\n\r\n")
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	through, err := httpconfig.NewHTTPConfig(config.ProxyConfig{URL: address}, nil, "", ldlog.NewDisabledLoggers())
	require.NoError(t, err)
	manager := autoconfig.NewStreamManager(testKey, "https://service.invalid", autoconfigtest.NewRecorder(), through, time.Millisecond, ldlog.NewDisabledLoggers())
	defer func() {
		manager.Close()
		<-manager.Done()
	}()
	manager.Start()
	require.Eventually(t, func() bool { return manager.Status().LastError != nil }, soon, time.Millisecond)
	assert.Contains(t, manager.Status().LastError.Message, "\xdcberlastet")

	h := newTestHub(t)
	a, err := New(manager, h.server.URL, WithName("relay-7"))
	require.NoError(t, err)
	defer a.Close()
	a.Start()
	select {
	case report := <-h.reports:
		assert.Contains(t, report.GetStatus().GetLastError().GetMessage(), "\ufffdberlastet")
	case <-time.After(soon):
		t.Error("nothing is reported")
	}
}
