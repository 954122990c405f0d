// Package line puts a faulty line between a manager and a service: toxiproxy, over loopback.
package line

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/internal/faults/rig"
	"github.com/relayconf/relayconf/internal/freeport"
)

func TestMain(m *testing.M) {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	rig.Main(m)
}

// faulty is a proxy whose line can be made to fail.
type faulty struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
	uri   string
}

func newFaulty(t *testing.T, service *autoconfigtest.Server) *faulty {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "line", freeport.Address(t), strings.TrimPrefix(service.URL, "http://"))
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return &faulty{t: t, proxy: proxy, uri: "http://" + proxy.Listen}
}

// fault begins one; the JSON is as toxiproxy documents it.
func (f *faulty) fault(json string) {
	f.t.Helper()
	_, err := f.proxy.Toxics.AddToxicJson(strings.NewReader(json))
	require.NoError(f.t, err)
}

// heal ends all faults.
func (f *faulty) heal() {
	ctx, cancel := context.WithTimeout(context.Background(), rig.Soon)
	defer cancel()
	f.proxy.Toxics.ResetToxics(ctx)
}

// waitForError waits until the relay has met the fault.
func waitForError(t *testing.T, relay *rig.Relay) {
	t.Helper()
	require.Eventually(t, func() bool { return relay.Manager.Status().LastError != nil }, rig.Soon, time.Millisecond)
}

// rawResponse is what the service sends to a new connection, up to the end of its put, headers and chunks included.
func rawResponse(t *testing.T, service *autoconfigtest.Server) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(service.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(rig.Soon)))
	_, err = conn.Write([]byte("GET /relay_auto_config HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nConnection: close\r\n\r\n"))
	require.NoError(t, err)
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.HasSuffix(text.String(), "}}}\n\n\r\n") {
		n, err := conn.Read(buf)
		require.NoError(t, err, "after %q", text.String())
		text.Write(buf[:n])
	}
	return text.String()
}
