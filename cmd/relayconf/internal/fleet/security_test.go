package fleet

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

func TestAPageOfAnotherOriginCanMakeNoLink(t *testing.T) {
	r := newRig(t)
	url := "ws" + strings.TrimPrefix(r.url, "http") + "/link"
	for origin, want := range map[string]int{
		"": http.StatusSwitchingProtocols, r.url: http.StatusSwitchingProtocols,
		"http://evil.example": http.StatusForbidden, "null": http.StatusForbidden, r.url + "0": http.StatusForbidden,
	} {
		header := http.Header{"Authorization": {testKey}}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ws, response, err := websocket.DefaultDialer.DialContext(t.Context(), url, header)
		require.NotNil(t, response, err)
		assert.Equal(t, want, response.StatusCode, origin)
		if err == nil {
			_ = ws.Close()
		}
	}
}

const notTheDigest = "0123456789abcdef0123456789abcdef"

func TestARelayThatLiesAboutItsDigestHarmsOnlyItself(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	honest := r.relay("honest")
	r.inSync("honest")
	client, _, _ := r.join("liar", "the-process-of-a-liar")
	reports, err := client.Report(t.Context())
	require.NoError(t, err)
	says := func(digest string) {
		t.Helper()
		require.NoError(t, reports.Send(&agentpb.ReportRequest{AppliedDigest: digest, Status: &agentpb.Status{State: "VALID", Digest: digest}}))
		r.eventually("the hub was told", func() bool { return r.find("liar").Applied == digest })
	}
	want := r.find("honest").Want

	says(notTheDigest) // it has another configuration than it says
	assert.False(t, r.find("liar").InSync())
	assert.True(t, r.find("honest").InSync())
	assert.Equal(t, []string{want, want}, []string{r.find("honest").Want, r.find("liar").Want}, "nobody should have another configuration for it")
	p := r.wait(Condition{TimeoutSeconds: 0.5}).result()
	assert.Equal(t, Missing, p.Result)
	require.Len(t, p.Missing, 1)
	assert.Equal(t, "liar", p.Missing[0].Name)

	honest.hold.Lock()
	r.patch("web-1", 2)
	r.eventually("the honest one is behind", func() bool { return !r.find("honest").InSync() && r.find("honest").Want != want })
	says(r.find("liar").Want) // it has nothing of it
	assert.True(t, r.find("liar").InSync(), "it is believed about itself")
	assert.False(t, r.find("honest").InSync())
	p = r.wait(Condition{TimeoutSeconds: 0.5}).result()
	assert.Equal(t, Missing, p.Result)
	require.Len(t, p.Missing, 1)
	assert.Equal(t, "honest", p.Missing[0].Name)
	honest.hold.Unlock()
	r.inSync("honest")
	versions, _ := honest.manager.AppliedVersions()
	assert.Equal(t, 2, versions["web-1"])
}

func TestReportsComeNoFasterThanTheirPause(t *testing.T) {
	r := newRig(t)
	client, _, _ := r.join("eager", "an-eager-process-00")
	reports, err := client.Report(t.Context())
	require.NoError(t, err)
	const n = 100
	start := time.Now()
	for range n {
		require.NoError(t, reports.Send(&agentpb.ReportRequest{AppliedDigest: notTheDigest}))
	}
	_, err = reports.CloseAndRecv()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), (n-2)*reportPause)
}

func TestAMessageThatIsTooLongEndsItsCall(t *testing.T) {
	r := newRig(t)
	r.has(map[string]int{"web-1": 1})
	r.relay("good")
	r.inSync("good")
	client, _, _ := r.join("long", "a-process-that-talks")
	reports, err := client.Report(t.Context())
	require.NoError(t, err)
	_ = reports.Send(&agentpb.ReportRequest{Status: &agentpb.Status{State: strings.Repeat("x", maxAnswer)}}) // CloseAndRecv has the error
	_, err = reports.CloseAndRecv()
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.True(t, r.find("good").InSync())
}

func TestNamesOfRelaysAreBounded(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"", strings.Repeat("x", 129), "a\x1b[31m", "line\nbreak", "\xff"} {
		_, stream, _ := r.join(strings.ToValidUTF8(name, "\u202e"), "a-process-of-a-name")
		_, err := stream.Recv()
		assert.Equal(t, codes.InvalidArgument, status.Code(err), "%q", name)
	}
	assert.Empty(t, r.local.Overview().Relays)
}
